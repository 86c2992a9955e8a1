import { erlangBStacks } from "./formulas.ts";
import { DEFAULT_STACK_BYTES, type PoolMemory, poolMemory } from "./memory.ts";
import { badValue, MAX_EVENTS, MAX_STACKS, MIN_EVENTS, offeredLoad, type PoolModel, type RunOptions } from "./model.ts";
import { simulatePool } from "./simulate-pool.ts";
import { theoryOf } from "./theory.ts";

/** What a simulation of one size says of the target. */
export type SizeVerdict =
  /** The whole interval is at or below the target. */
  | "enough"
  /** The whole interval is above it. */
  | "too-few"
  /** The target lies inside the interval. */
  | "undecided";

export interface SizeStep {
  readonly stacks: number;
  /** Of being refused; with the policy `sleep`, of having to wait. Null where there is no steady state. */
  readonly probability: number | null;
  readonly ci99: readonly [low: number, high: number];
  /** How many were refused, or waited. */
  readonly count: number;
  readonly attempts: number;
  readonly verdict: SizeVerdict;
}

/** What `spillway simulate size --json` prints. */
export interface SizeDocument {
  readonly schema: "spillway/pool-size@1";
  readonly target: number;
  readonly policy: PoolModel["policy"];
  readonly offeredErlang: number | null;
  /** The answer: by the formula where one applies, else the smallest pool that was shown to be enough; null where none was. */
  readonly stacks: number | null;
  readonly basis: "formula" | "simulation" | null;
  /** The smallest pool that the simulation showed to be enough, and the largest that it showed to be too small. */
  readonly shownEnough: number | null;
  readonly shownTooFew: number | null;
  /** The smallest pool by the formula that applies; null where none does. */
  readonly formula: { readonly name: string; readonly stacks: number } | null;
  /** What Erlang's loss formula says of the load, whether it applies or not; null where the load is not known beforehand. */
  readonly erlangBStacks: number | null;
  /** Events that each size was simulated for, where fewer did not show already that it is too small. */
  readonly events: number;
  /** The least target that a run of so many events could reach: nobody refused. Null where that was not met. */
  readonly provable: number | null;
  /** Every size that was simulated, by size. */
  readonly steps: readonly SizeStep[];
  /** Of the pool that is enough. */
  readonly memory: PoolMemory | null;
  readonly notes: readonly string[];
}

export interface SizeOptions extends Omit<RunOptions, "events"> {
  /** Default: as many as the target takes, within bounds. */
  readonly events?: number;
  readonly stackBytes?: number;
  /** Told before a size is simulated. */
  readonly trying?: (stacks: number) => void;
}

/** What is hopeless shows in so many events. */
const QUICK_EVENTS = 500_000;
/** Where the number of events is not given: at least, and at most. */
const FEWEST_EVENTS = 4_000_000;
const MOST_EVENTS = 100_000_000;
/** Arrivals by target for a size at a third of it to be shown to be enough; twice as many events. */
const ATTEMPTS_BY_TARGET = 20;

/** Events that a target takes, within bounds of patience. */
export function eventsFor(target: number): number {
  return Math.min(MOST_EVENTS, Math.max(FEWEST_EVENTS, Math.ceil((2 * ATTEMPTS_BY_TARGET) / target)));
}

/**
 * Looks for the smallest pool that refuses (or lets wait) at most a share `target` of those who come to it: begins where Erlang's formula
 * says, widens its steps until it has a size that is enough and one that is not, and halves between them. Every size meets the same
 * arrivals and hold times.
 * @throws SpillwayError SPW_SIMULATE_BAD_VALUE
 */
export function sizePool(model: Omit<PoolModel, "stacks">, target: number, options: SizeOptions): SizeDocument {
  if (!(target > 0 && target < 1)) throw badValue(`the target is a probability between 0 and 1, not ${target}`);
  const events = options.events ?? eventsFor(target);
  if (!(events >= MIN_EVENTS && events <= MAX_EVENTS)) {
    throw badValue(`events: a whole number from ${MIN_EVENTS} to ${MAX_EVENTS} is needed, not ${events}`);
  }
  const steps = new Map<number, SizeStep>();
  const judge = (stacks: number): SizeStep => {
    const known = steps.get(stacks);
    if (known !== undefined) return known;
    options.trying?.(stacks);
    const whole = { ...model, stacks };
    let step = stepOf(whole, target, { ...options, events: Math.min(events, QUICK_EVENTS) });
    if (step.verdict !== "too-few" && events > QUICK_EVENTS) step = stepOf(whole, target, { ...options, events });
    steps.set(stacks, step);
    return step;
  };

  const load = offeredLoad({ ...model, stacks: 1 });
  const byErlangB = load === null ? null : erlangBStacks(load, target, MAX_STACKS);
  const formula = formulaSize(model, target);
  const start = formula?.stacks ?? byErlangB ?? Math.ceil(load ?? 1);
  const shownEnough = smallestEnough(start, judge);
  const shownTooFew = largestTooFew(shownEnough ?? start, judge);
  const tried = [...steps.values()].sort((one, other) => one.stacks - other.stacks);
  const provable = tried.find(({ count, probability }) => count === 0 && probability !== null)?.ci99[1] ?? null;
  const stacks = formula?.stacks ?? shownEnough;
  return {
    schema: "spillway/pool-size@1",
    target,
    policy: model.policy,
    offeredErlang: load,
    stacks,
    basis: formula !== null ? "formula" : shownEnough !== null ? "simulation" : null,
    shownEnough,
    shownTooFew,
    formula,
    erlangBStacks: byErlangB,
    events,
    provable,
    steps: tried,
    memory: stacks === null ? null : poolMemory(stacks, options.stackBytes ?? DEFAULT_STACK_BYTES),
    notes: notesOn({ target, shownEnough, shownTooFew, provable, formula, byErlangB, steps: tried }),
  };
}

/** The smallest pool by the formula that holds for a model; null where none does, or no pool is enough by it. */
function formulaSize(model: Omit<PoolModel, "stacks">, target: number): SizeDocument["formula"] {
  let name: string | null = null;
  const enough = (stacks: number): boolean => {
    const theory = theoryOf({ ...model, stacks });
    // With the policy sleep there is none for pools that can never keep up.
    if (theory === null) return false;
    name = theory.name;
    return (theory.refusal ?? theory.wait ?? 1) <= target;
  };
  let high = 1;
  while (!enough(high)) {
    if (high >= MAX_STACKS || (name === null && high > 2 * (offeredLoad({ ...model, stacks: 1 }) ?? 0) + 1))
      return null;
    high = Math.min(MAX_STACKS, 2 * high);
  }
  let low = -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return name === null ? null : { name, stacks: high };
}

function stepOf(model: PoolModel, target: number, options: RunOptions): SizeStep {
  const { refusal, wait, steady, run } = simulatePool(model, options);
  const { stacks } = model;
  if (!steady) {
    return { stacks, probability: null, ci99: [target, 1], count: 0, attempts: run.attempts, verdict: "too-few" };
  }
  const [probability, [low, high]] =
    wait === null ? [refusal.probability, refusal.ci99] : [wait.probability, wait.probabilityCi99];
  return {
    stacks,
    probability,
    ci99: [low, high],
    count: wait === null ? refusal.count : Math.round(wait.probability * run.attempts),
    attempts: run.attempts,
    verdict: high <= target ? "enough" : low > target ? "too-few" : "undecided",
  };
}

type Judge = (stacks: number) => SizeStep;

/** Null where no size can be shown to be enough. */
function smallestEnough(start: number, judge: Judge): number | null {
  const isEnough = (stacks: number) => judge(stacks).verdict === "enough";
  let below = -1;
  let enough = start;
  if (isEnough(start)) {
    for (let step = 1; enough > 0; step *= 2) {
      const lower = Math.max(0, enough - step);
      if (!isEnough(lower)) {
        below = lower;
        break;
      }
      enough = lower;
    }
  } else {
    below = start;
    for (let step = 1; ; step *= 2) {
      // Nobody is refused, and still it is not enough: a larger pool cannot be shown to be any better.
      const hopeless = judge(below).verdict === "undecided" && judge(below).count === 0;
      if (hopeless || below === MAX_STACKS) return null;
      enough = Math.min(MAX_STACKS, below + step);
      if (isEnough(enough)) break;
      below = enough;
    }
  }
  while (enough - below > 1) {
    const middle = (below + enough) >> 1;
    if (isEnough(middle)) enough = middle;
    else below = middle;
  }
  return enough;
}

function largestTooFew(above: number, judge: Judge): number | null {
  const isTooFew = (stacks: number) => judge(stacks).verdict === "too-few";
  let notShown = above;
  let tooFew = -1;
  for (let step = 1; notShown > 0; step *= 2) {
    const lower = Math.max(0, notShown - step);
    if (isTooFew(lower)) {
      tooFew = lower;
      break;
    }
    notShown = lower;
  }
  if (tooFew < 0) return null;
  while (notShown - tooFew > 1) {
    const middle = (tooFew + notShown) >> 1;
    if (isTooFew(middle)) tooFew = middle;
    else notShown = middle;
  }
  return tooFew;
}

function notesOn(found: {
  readonly target: number;
  readonly shownEnough: number | null;
  readonly shownTooFew: number | null;
  readonly provable: number | null;
  readonly formula: SizeDocument["formula"];
  readonly byErlangB: number | null;
  readonly steps: readonly SizeStep[];
}): string[] {
  const { target, shownEnough, shownTooFew, provable, formula, byErlangB } = found;
  const notes: string[] = [];
  if (shownEnough === null && provable !== null && provable > target) {
    notes.push(
      `the target is below what so many events can prove: with nobody refused, the interval still ends at ${provable.toExponential(1)}. ` +
        "Take more events.",
    );
  }
  if (shownEnough !== null && shownEnough - (shownTooFew ?? -1) > 1) {
    const from = (shownTooFew ?? -1) + 1;
    const sizes = from === shownEnough - 1 ? `${from} is` : `${from} to ${shownEnough - 1} are`;
    notes.push(`${sizes} undecided by simulation: the target lies within the interval. More events narrow it.`);
  }
  if (formula !== null && found.steps.some((step) => contradicts(step, formula.stacks))) {
    notes.push(`the simulation contradicts the ${formula.name} formula: please report this`);
  }
  if (formula === null && byErlangB !== null && shownEnough !== null && shownEnough > byErlangB) {
    notes.push(`Erlang's loss formula, which does not hold for this, would have said ${byErlangB}.`);
  }
  return notes;
}

/** Rounding apart, an interval at 99 % misses now and then: only a verdict that is wrong by more than one stack counts. */
function contradicts({ stacks, verdict }: SizeStep, byFormula: number): boolean {
  return (verdict === "enough" && stacks < byFormula - 1) || (verdict === "too-few" && stacks > byFormula);
}
