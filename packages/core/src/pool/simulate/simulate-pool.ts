import { type Batches, ratioInterval } from "../statistics/batches.ts";
import { FEW_HITS, proportionInterval } from "../statistics/proportion.ts";
import { meanRate } from "./laws.ts";
import { DEFAULT_STACK_BYTES, poolMemory } from "./memory.ts";
import { checkModel, checkRun, levelHold, offeredLoad, type PoolModel, type RunOptions } from "./model.ts";
import { PoolRun } from "./pool-run.ts";
import type { Refusal, SimulationDocument } from "./result.ts";
import { BATCHES, type Tally } from "./tally.ts";
import { theoryOf } from "./theory.ts";

/** Part of a run that is not counted, unless its options say otherwise. */
const WARMUP_SHARE = 0.1;
/** Refusals below which a reader is told how few there were. */
const FEW = 10;
/** How far the mean of what was drawn may be from its law's before a reader is told. */
const FAR_OFF = 0.1;
/** With fewer waits than this, intervals of their mean were seen to hold the truth less often than 99 times in 100. */
const FEW_WAITS = 1000;

/**
 * Simulates a pool.
 * @throws SpillwayError SPW_SIMULATE_BAD_VALUE
 */
export function simulatePool(
  model: PoolModel,
  options: RunOptions & { readonly stackBytes?: number },
): SimulationDocument {
  checkModel(model);
  checkRun(options);
  const traced = model.arrivals.kind === "trace";
  const wanted =
    model.arrivals.kind === "trace" ? Math.min(options.events, model.arrivals.times.length) : options.events;
  const warmup = Math.min(options.warmup ?? (traced ? 0 : Math.floor(wanted * WARMUP_SHARE)), wanted);
  const run = new PoolRun(model, options.seed);
  run.advance(warmup, traced);
  run.beginCounting();
  const counted = wanted - warmup;
  let events = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    events += run.advance(Math.floor((counted * (batch + 1)) / BATCHES) - events, traced);
    run.tally.closeBatch(batch);
    options.progress?.(warmup + events, wanted);
  }
  const { tally } = run;
  const load = offeredLoad(model);
  const steady =
    !run.unstable && (model.policy === "eio" || model.tasks !== null || load === null || load < model.stacks);
  const refusal = refusalOf(tally);
  const attempts = tally.total("attempts");
  return {
    schema: "spillway/simulation@1",
    stacks: model.stacks,
    policy: model.policy,
    offeredErlang: load,
    steady,
    run: {
      seed: options.seed,
      events,
      warmupEvents: warmup,
      seconds: tally.total("seconds"),
      calls: tally.calls,
      attempts,
    },
    refusal,
    wait: model.policy === "eio" || !steady ? null : waitOf(tally),
    occupancy: occupancyOf(tally),
    holds: { count: tally.holds, mean: tally.holds === 0 ? null : tally.holdTime / tally.holds },
    steals:
      model.cpus === 1 ? null : { count: tally.steals, share: tally.holds === 0 ? 0 : tally.steals / tally.holds },
    deadlocks: model.policy === "sleep" && model.nest > 0 ? deadlocksOf(tally) : null,
    memory: poolMemory(model.stacks, options.stackBytes ?? DEFAULT_STACK_BYTES),
    formula: theoryOf(model),
    notes: [
      ...notesOn(steady, refusal, model.policy === "sleep" ? tally.total("waited") : null),
      ...unlikeTheLaws(model, tally),
    ],
  };
}

function refusalOf(tally: Tally): Refusal {
  const attempts = tally.total("attempts");
  const estimate = proportionInterval(tally.batches("refused", "attempts"), companionOf(tally));
  return {
    probability: attempts === 0 ? null : estimate.probability,
    ci99: estimate.ci99,
    count: tally.total("refused"),
    nested: tally.nestedRefused,
    effectiveAttempts: estimate.effectiveTrials,
    correlated: estimate.correlated,
  };
}

/** What tells how refusals cluster where they are too few to tell themselves. */
function companionOf(tally: Tally): { batches: Batches; variance: number } {
  const attempts = tally.total("attempts");
  const crowded = tally.crowded(FEW_HITS);
  if (crowded !== null) {
    const share = crowded.sums.reduce((sum, count) => sum + count, 0) / attempts;
    return { batches: crowded, variance: share * (1 - share) };
  }
  const seen = tally.total("seen") / attempts;
  return { batches: tally.batches("seen", "attempts"), variance: tally.seenSquares / attempts - seen * seen };
}

function waitOf(tally: Tally): SimulationDocument["wait"] {
  const probability = proportionInterval(tally.batches("waited", "attempts"));
  const mean = ratioInterval(tally.batches("waitTime", "attempts"));
  return {
    probability: probability.probability,
    probabilityCi99: probability.ci99,
    mean: mean.mean,
    ci99: [Math.max(0, mean.ci99[0]), mean.ci99[1]],
    longest: tally.longestWait,
    longestQueue: tally.longestQueue,
  };
}

function occupancyOf(tally: Tally): SimulationDocument["occupancy"] {
  const seconds = tally.total("seconds");
  const { mean, ci99 } = ratioInterval(tally.batches("area", "seconds"));
  return {
    mean,
    ci99: [Math.max(0, ci99[0]), Math.min(tally.timeWith.length - 1, ci99[1])],
    seenByArrivals: tally.total("seen") / tally.total("attempts"),
    timeShare: Array.from(tally.timeWith.subarray(0, tally.highWater + 1), (time) => time / seconds),
    highWater: tally.highWater,
  };
}

function deadlocksOf(tally: Tally): SimulationDocument["deadlocks"] {
  const count = tally.total("deadlocks");
  return {
    count,
    tasks: count === 0 ? null : tally.deadlockedTasks / count,
    meanSecondsBetween: count === 0 ? null : tally.total("seconds") / count,
    perAttempt: count / tally.total("attempts"),
  };
}

function notesOn(steady: boolean, { count, correlated }: Refusal, waited: number | null): string[] {
  const notes: string[] = [];
  if (!steady)
    notes.push("more tasks come than the stacks can serve: the queue grows without end, and no wait is typical");
  if (correlated) {
    notes.push(
      "the run is short beside the time over which the pool remembers: its interval may be too narrow; take more events",
    );
  }
  if (steady && count > 0 && count < FEW) notes.push(`only ${count} refusals were seen: the interval is wide`);
  if (steady && waited !== null && waited > 0 && waited < FEW_WAITS) {
    notes.push(`only ${waited} tasks waited: the interval of the mean wait may be too narrow; take more events`);
  }
  return notes;
}

/** What was drawn has other means than its law: intervals cannot know of what never came. */
function unlikeTheLaws(model: PoolModel, tally: Tally): string[] {
  const notes: string[] = [];
  const hold = levelHold(model);
  const off = (found: number, meant: number): boolean => Math.abs(found / meant - 1) > FAR_OFF;
  if (hold !== null && tally.holds > 0 && off(tally.holdTime / tally.holds, hold)) {
    notes.push(
      `hold times came out as ${short(tally.holdTime / tally.holds)} s on average, not ${short(hold)}: the run is too short for how ` +
        "much they vary; take more events",
    );
  }
  const rate = meanRate(model.arrivals);
  const came = tally.calls / tally.total("seconds");
  if (model.tasks === null && model.arrivals.kind !== "trace" && off(came, rate)) {
    notes.push(
      `calls came at ${short(came)} a second, not ${short(rate)}: the run is too short for how much their rate varies; take more events`,
    );
  }
  return notes;
}

function short(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}
