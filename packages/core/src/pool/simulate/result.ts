import type { Estimate } from "../statistics/interval.ts";
import type { PoolPolicy } from "./model.ts";

/** Of crossings that needed a stack, those that failed. */
export interface Refusal {
  /** Null where no crossing needed one. */
  readonly probability: number | null;
  readonly ci99: readonly [low: number, high: number];
  readonly count: number;
  /** Of them, those of tasks that were on an extra stack already. */
  readonly nested: number;
  /** How many independent crossings would have told as much. */
  readonly effectiveAttempts: number;
  /** The run is too short beside the time over which the pool remembers for the interval to be trusted. */
  readonly correlated: boolean;
}

/** What `spillway simulate --json` prints. Times are in seconds, sizes in bytes. Fields may be added. */
export interface SimulationDocument {
  readonly schema: "spillway/simulation@1";
  readonly stacks: number;
  readonly policy: PoolPolicy;
  /** Stacks that would be in use on average if there were always enough; null where it is not known beforehand. */
  readonly offeredErlang: number | null;
  /** False: more comes than the stacks can serve, so that with the policy `sleep` the queue grows without end. */
  readonly steady: boolean;
  readonly run: {
    readonly seed: number;
    /** Arrivals and returns that were simulated and counted. */
    readonly events: number;
    readonly warmupEvents: number;
    /** How long they would have taken. */
    readonly seconds: number;
    /** Crossings of critical points, and those of them that needed a stack. */
    readonly calls: number;
    readonly attempts: number;
  };
  /** Of crossings that needed a stack: the probability of -EIO. */
  readonly refusal: Refusal;
  /** Null with the policy `eio`, and where there is no steady state. */
  readonly wait: {
    readonly probability: number;
    readonly probabilityCi99: readonly [low: number, high: number];
    /** Seconds, over all crossings that needed a stack. */
    readonly mean: number;
    readonly ci99: readonly [low: number, high: number];
    readonly longest: number;
    readonly longestQueue: number;
  } | null;
  readonly occupancy: Estimate & {
    /** Mean number of stacks in use that crossings met. */
    readonly seenByArrivals: number;
    /** Share of the time with 0, 1, … stacks in use. */
    readonly timeShare: readonly number[];
    readonly highWater: number;
  };
  /** Of stacks that were taken: how many, and how long they were held. */
  readonly holds: { readonly count: number; readonly mean: number | null };
  /** Null with one list for all CPUs. */
  readonly steals: { readonly count: number; readonly share: number } | null;
  /** Every stack held by a task that waits for one. Null where it cannot happen. */
  readonly deadlocks: {
    readonly count: number;
    /** How many tasks waited in each, on average. */
    readonly tasks: number | null;
    /** Seconds from one to the next. */
    readonly meanSecondsBetween: number | null;
    /** A crossing in so many. */
    readonly perAttempt: number;
  } | null;
  readonly memory: { readonly bytes: number; readonly addressSpaceBytes: number; readonly bytesPerStack: number };
  /** What theory says of the same, where it applies. */
  readonly formula: {
    readonly name: string;
    readonly refusal?: number;
    readonly wait?: number;
    readonly meanWait?: number;
  } | null;
  /** What a reader has to know before trusting the figures. */
  readonly notes: readonly string[];
}
