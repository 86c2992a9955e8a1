/** What the commands of `simulate` that have a pool take: how tasks come, how long they hold stacks, and how long to simulate. */
import {
  type ArrivalLaw,
  type HoldLaw,
  MAX_SEED,
  type PoolModel,
  type PoolPolicy,
  parseArrivals,
  parseHold,
  type RunOptions,
  readFtrace,
  readHoldBins,
  SpillwayError,
} from "@spillway/core";
import { type Command, InvalidArgumentError, Option } from "commander";
import { readText } from "../../io/read-text.ts";

export interface PoolOptions {
  readonly arrivals: string;
  readonly hold: string;
  readonly policy: PoolPolicy;
  readonly tasks?: number;
  readonly deep: number;
  readonly nest: number;
  readonly sleep?: string;
  readonly cpus: number;
  readonly points?: string;
  readonly events: number;
  readonly warmup?: number;
  readonly seed: number;
  readonly stackBytes?: number;
  readonly json?: boolean;
}

const SUFFIXES: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9 };

/** A count as people write it: 1000000, 1_000_000, 1e6, 10M. */
export function count(text: string): number {
  const match = /^(\d{1,15}(?:\.\d+)?(?:[eE]\+?\d{1,2})?)([kMG])?$/.exec(text.replaceAll(/[_,]/g, ""));
  const value = match === null ? Number.NaN : Number(match[1]) * (SUFFIXES[match[2] ?? ""] ?? 1);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("It is no whole number of at least 0.");
  return value;
}

/** A share or probability. */
export function probability(text: string): number {
  const value = /^\d*\.?\d+(?:[eE]-?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError("It is no number from 0 to 1.");
  return value;
}

/** THREAD_SIZE: a power of two of pages, as every architecture has it. */
function stackBytes(text: string): number {
  const bytes = count(text);
  if (bytes < 4096 || bytes > 1 << 20 || (bytes & (bytes - 1)) !== 0) {
    throw new InvalidArgumentError("It is no power of two from 4096 to 1048576.");
  }
  return bytes;
}

/**
 * Adds the options that describe tasks, stacks and the run; not how many stacks.
 * @param events how many, unless it is said; null: as many as it takes
 */
export function addPoolOptions(command: Command, events: number | null): Command {
  const eventsOption = new Option("--events <n>", "arrivals and returns to simulate").argParser(count);
  if (events === null) eventsOption.description += " (default: as many as the target takes)";
  else eventsOption.default(events);
  return command
    .requiredOption(
      "--arrivals <law>",
      "poisson:RATE, periodic:RATE, bursty:RATE,PEAK,BURST, mmpp:RATE@TIME,…, trace:FILE; a second, or as in 50/ms",
    )
    .requiredOption(
      "--hold <law>",
      "exponential:MEAN, deterministic:MEAN, lognormal:MEAN[,CV], hyperexponential:MEAN[,CV], empirical:FILE, trace; seconds, or 20ms",
    )
    .addOption(
      new Option("--policy <policy>", "where no stack is free: the call fails, or its task waits")
        .choices(["eio", "sleep"])
        .default("eio"),
    )
    .option("--tasks <n>", "so many tasks in all, each with these arrivals while it holds no stack", count)
    .option("--deep <share>", "share of arrivals that need a stack", probability, 1)
    .option("--nest <p>", "probability that a task on an extra stack needs a further one", probability, 0)
    .option("--sleep <p:law>", "probability of a sleep on the stack, and how long: 0.2:exponential:8ms")
    .option("--cpus <n>", "free lists, one for each CPU; they take from each other", count, 1)
    .option("--points <list>", "with trace:FILE: only these functions (default: all in it)")
    .addOption(eventsOption)
    .option("--warmup <n>", "events not counted at the beginning (default: a tenth; of a trace: none)", count)
    .option("--seed <n>", `from 0 to ${MAX_SEED}; the same seed gives the same figures`, count, 1)
    .option("--stack-bytes <n>", "THREAD_SIZE (default: 16384)", stackBytes)
    .option("--json", "print one JSON document instead of text");
}

function arrivalLaw({ arrivals, points, hold }: PoolOptions): ArrivalLaw {
  const law = parseArrivals(arrivals);
  if (law.kind !== "file") {
    if (points === undefined) return law;
    throw new SpillwayError("SPW_USAGE", "--points is for --arrivals trace:FILE", { class: "usage" });
  }
  const names = points === undefined ? null : new Set(points.split(",").map((name) => name.trim()));
  return readFtrace(readText(law.path), law.path, { points: names, holds: hold.trim() === "trace" }).arrivals;
}

function holdLaw(text: string, what?: string): HoldLaw {
  const law = parseHold(text, what);
  if (law.kind !== "file") return law;
  return { kind: "empirical", bins: readHoldBins(readText(law.path), law.path) };
}

function sleepOf(text: string): PoolModel["sleep"] {
  const colon = text.indexOf(":");
  if (colon < 0) {
    throw new SpillwayError("SPW_SIMULATE_BAD_VALUE", `sleep: "${text}" should be PROBABILITY:LAW`, {
      class: "usage",
      hint: "For example --sleep 0.2:exponential:8ms.",
    });
  }
  return { probability: Number(text.slice(0, colon) || Number.NaN), law: holdLaw(text.slice(colon + 1), "sleep") };
}

/** The model but for its number of stacks. @throws SpillwayError where a law is none, or its file cannot be read */
export function modelOf(options: PoolOptions): Omit<PoolModel, "stacks"> {
  return {
    policy: options.policy,
    arrivals: arrivalLaw(options),
    hold: holdLaw(options.hold),
    tasks: options.tasks ?? null,
    deep: options.deep,
    nest: options.nest,
    sleep: options.sleep === undefined ? null : sleepOf(options.sleep),
    cpus: options.cpus,
  };
}

export function runOf(options: PoolOptions, progress: RunOptions["progress"]): RunOptions & { stackBytes?: number } {
  return {
    events: options.events,
    seed: options.seed,
    ...(options.warmup === undefined ? {} : { warmup: options.warmup }),
    ...(options.stackBytes === undefined ? {} : { stackBytes: options.stackBytes }),
    ...(progress === undefined ? {} : { progress }),
  };
}
