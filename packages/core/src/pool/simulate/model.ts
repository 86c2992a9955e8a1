import { SpillwayError } from "../../errors.ts";
import type { ArrivalLaw, HoldLaw } from "./laws.ts";
import { meanHold, meanRate } from "./laws.ts";

/** A pool of extra stacks, the tasks that come to it, and what becomes of those that find it empty. */
export interface PoolModel {
  /** Extra stacks in all. */
  readonly stacks: number;
  /** What a task meets that finds no stack free: its call fails (`eio`), or it waits its turn (`sleep`). */
  readonly policy: PoolPolicy;
  /** Tasks that cross a critical point; with `tasks`, of each task while it holds no stack. */
  readonly arrivals: ArrivalLaw;
  /** Of each stack, from the switch to the return. */
  readonly hold: HoldLaw;
  /** So many tasks in all (Engset's model); null: so many that those who hold a stack are not missed. */
  readonly tasks: number | null;
  /** Share of crossings that are above the threshold; the others need no stack. */
  readonly deep: number;
  /** Probability that a task on an extra stack comes to need a further one. */
  readonly nest: number;
  /** Some sleep on the stack (for a disk, say), which they hold so much longer, and may wake up on another CPU. */
  readonly sleep: { readonly probability: number; readonly law: HoldLaw } | null;
  /** A list of free stacks for each of so many CPUs, which take from each other when theirs is empty; 1: one list for all. */
  readonly cpus: number;
}

export type PoolPolicy = "eio" | "sleep";

export interface RunOptions {
  /** Arrivals and returns to simulate in all; with a trace, at most so many of its arrivals. */
  readonly events: number;
  /** Of them at the beginning, how many are not counted, as the pool starts empty. Default: a tenth; of a trace: none. */
  readonly warmup?: number;
  /** A whole number from 0 to 2^32 - 1. */
  readonly seed: number;
  /** Told now and then how far it is. */
  readonly progress?: (done: number, total: number) => void;
}

/** As many as a thousand machines have CPUs; the kernel module takes 1,024. */
export const MAX_STACKS = 1_000_000;
export const MAX_TASKS = 1_000_000;
export const MAX_CPUS = 8192;
/** A few minutes. */
export const MAX_EVENTS = 1_000_000_000;
/** Fewer than this cannot be divided into batches. */
export const MIN_EVENTS = 1000;
/** A task can be on so many extra stacks at once: SPW_MAX_LEVELS of the kernel module. */
export const MAX_LEVELS = 32;
/** With more, most of the load would come from nesting alone. */
const MAX_NEST = 0.9;
/** Phases of an MMPP that may pass between two arrivals on average. */
const MAX_PHASES_PER_ARRIVAL = 1000;

/** With more than could be simulated, times would also be too large for the gaps between arrivals to be added to them. */
const MAX_ARRIVALS_PER_CYCLE = 1e11;

export function badValue(message: string, hint?: string): SpillwayError {
  return new SpillwayError("SPW_SIMULATE_BAD_VALUE", message, {
    class: "usage",
    ...(hint === undefined ? {} : { hint }),
  });
}

function whole(value: number, least: number, most: number, what: string): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw badValue(`${what}: a whole number from ${least} to ${most} is needed, not ${value}`);
}

function share(value: number, most: number, what: string): void {
  if (value >= 0 && value <= most) return;
  throw badValue(`${what}: a number from 0 to ${most} is needed, not ${value}`);
}

function positive(value: number, what: string): void {
  if (value > 1e-18 && value < 1e18) return;
  throw badValue(`${what} must be greater than 0 and a number one can reckon with, not ${value}`);
}

function checkHold(law: HoldLaw, what: string): void {
  if (law.kind === "trace") return;
  if (law.kind !== "empirical") {
    positive(law.mean, `the mean ${what}`);
    if (law.kind === "lognormal") positive(law.cv, `the coefficient of variation of the ${what}`);
    if (law.kind === "hyperexponential" && !(law.cv >= 1 && law.cv <= 1e6)) {
      throw badValue(
        `a hyperexponential ${what} has a coefficient of variation of at least 1, not ${law.cv}`,
        "Below 1, take lognormal:MEAN,CV; deterministic:MEAN has none at all.",
      );
    }
    return;
  }
  for (const { low, high, count } of law.bins) {
    if (!(low >= 0 && high >= low && high < 1e18 && count >= 0 && Number.isFinite(count))) {
      throw badValue(`${what}: the histogram has a bin from ${low} to ${high} with ${count} in it`);
    }
  }
  if (!law.bins.some(({ count }) => count > 0)) throw badValue(`${what}: the histogram is empty`);
  positive(meanHold(law)!, `the mean ${what}`);
}

function checkArrivals(law: ArrivalLaw): void {
  if (law.kind === "trace") {
    if (law.times.length === 0) throw badValue("the trace has no arrivals");
    return;
  }
  if (law.kind !== "mmpp") {
    positive(law.rate, "the rate of arrivals");
    return;
  }
  if (law.phases.length === 0 || law.phases.length > 64) throw badValue("an MMPP has from 1 to 64 phases");
  for (const { rate, meanDuration } of law.phases) {
    if (!(rate >= 0 && rate < 1e18)) throw badValue(`a phase's rate must be 0 or more, not ${rate}`);
    positive(meanDuration, "a phase's mean duration");
  }
  positive(meanRate(law), "the mean rate of arrivals");
  const cycle = law.phases.reduce((sum, { meanDuration }) => sum + meanDuration, 0);
  if (Math.max(...law.phases.map(({ rate }) => rate)) * cycle > MAX_ARRIVALS_PER_CYCLE) {
    throw badValue("the phases are so long that no run would ever see the second of them");
  }
  if (law.phases.length / (meanRate(law) * cycle) > MAX_PHASES_PER_ARRIVAL) {
    throw badValue(
      "the phases are so short that thousands pass between two arrivals",
      "Phases that short average out: poisson:RATE with the mean rate is the same process.",
    );
  }
}

/** @throws SpillwayError SPW_SIMULATE_BAD_VALUE where a simulation of it could not be run, or would never end */
export function checkModel(model: PoolModel): void {
  whole(model.stacks, 0, MAX_STACKS, "stacks");
  whole(model.cpus, 1, MAX_CPUS, "CPUs");
  checkArrivals(model.arrivals);
  checkHold(model.hold, "hold time");
  share(model.deep, 1, "the share of deep crossings");
  if (model.deep === 0) throw badValue("if no crossing is deep, no stack is ever needed");
  share(model.nest, MAX_NEST, "the probability of nesting");
  if (model.sleep !== null) {
    share(model.sleep.probability, 1, "the probability of sleeping");
    if (model.sleep.law.kind === "trace") throw badValue("sleeps do not come out of a trace");
    checkHold(model.sleep.law, "sleep");
  }
  if (model.tasks !== null) {
    whole(model.tasks, 1, MAX_TASKS, "tasks");
    if (model.arrivals.kind !== "poisson") {
      throw badValue(
        `with a number of tasks, arrivals are poisson:RATE of each idle task, not ${model.arrivals.kind}`,
        "Leave out --tasks: bursts, periods and traces are arrivals of all tasks together.",
      );
    }
  }
  if (model.hold.kind === "trace" && (model.arrivals.kind !== "trace" || model.arrivals.holds === null)) {
    throw badValue(
      "hold times out of a trace need arrivals out of a trace that has them",
      "Say --arrivals trace:FILE, or name a law of hold times.",
    );
  }
  if (model.hold.kind === "trace" && model.nest > 0) {
    throw badValue("nested crossings need a law of hold times: a trace has one hold time for each arrival");
  }
}

/** @throws SpillwayError SPW_SIMULATE_BAD_VALUE */
export function checkRun({ events, warmup }: RunOptions): void {
  whole(events, MIN_EVENTS, MAX_EVENTS, "events");
  if (warmup !== undefined) whole(warmup, 0, Math.floor(events * 0.9), "warm-up events");
}

/**
 * Load offered to the pool, in erlang: how many stacks would be in use on average if there were always enough. Null where hold times
 * come out of a trace.
 */
export function offeredLoad(model: PoolModel): number | null {
  const hold = levelHold(model);
  if (hold === null) return null;
  // A level is held for its own time and that of the levels upon it; each level brings a further one with probability nest.
  const stackTime = hold / (1 - model.nest) ** 2;
  const rate = meanRate(model.arrivals) * model.deep;
  if (model.tasks === null) return rate * stackTime;
  const perTask = rate * (hold / (1 - model.nest));
  return (model.tasks * rate * stackTime) / (1 + perTask);
}

/** Mean time that a level itself takes, sleep included, in seconds. */
export function levelHold({ hold, sleep }: PoolModel): number | null {
  const own = meanHold(hold);
  if (own === null) return null;
  return own + (sleep === null ? 0 : sleep.probability * meanHold(sleep.law)!);
}
