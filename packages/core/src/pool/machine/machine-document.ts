/** What `simulate machine --json` prints: `spillway/machine@1`. */
import type { Estimate } from "../statistics/interval.ts";
import type { Design, PoolSettings } from "./design.ts";
import type { MachineProfile } from "./profile.ts";
import type { ZoneSettings } from "./zone-memory.ts";

export const MACHINE_SCHEMA = "spillway/machine@1";

/** How often something happened, in all replications together. */
export interface Frequency {
  readonly count: number;
  /** Out of so many operations, or forks. */
  readonly of: number;
  readonly probability: number;
  readonly ci99: readonly [low: number, high: number];
}

export interface DesignResult {
  readonly name: string;
  /** Bytes of the stacks of so many tasks, of the CPUs' interrupt stacks and of the pool: exact. */
  readonly memoryBytes: number;
  /** Of operations. */
  readonly crashes: Frequency;
  /** Of `crashes`, those on a stack for interrupts. */
  readonly irqStackCrashes: number;
  /** Operations that failed with EIO. */
  readonly refusals: Frequency;
  /** Of forks. */
  readonly failedForks: Frequency;
  /** Of `failedForks`, those with enough pages free, only not together. */
  readonly fragmentedForks: number;
  /** Rounds of direct reclaim that a fork went through. */
  readonly reclaimRounds: Estimate;
  /** Most extra stacks in use at a time, in any replication. */
  readonly extraHighWater: number;
  /** Fewest of all replications of the most tasks that were there at a time. */
  readonly mostTasks: number;
  /** This design's probabilities less the baseline's, on the same events; null for the baseline itself. */
  readonly difference: {
    readonly crashes: Estimate;
    readonly refusals: Estimate;
    readonly failedForks: Estimate;
  } | null;
}

export interface TasksResult {
  readonly tasks: number;
  readonly designs: readonly DesignResult[];
}

/** The share of operations that went deeper, at each depth (in steps of 64 bytes, rounded up) where it changes. */
export type DepthTail = readonly { readonly bytes: number; readonly share: number }[];

export interface MachineDocument {
  readonly schema: typeof MACHINE_SCHEMA;
  readonly seed: number;
  readonly replications: number;
  /** Simulated, of each replication. */
  readonly seconds: number;
  readonly lifeSeconds: number;
  readonly cpus: number;
  readonly taskPages: number;
  readonly churnPages: number;
  readonly ageTurns: number;
  readonly zone: ZoneSettings;
  readonly pool: PoolSettings;
  readonly profile: MachineProfile;
  readonly designs: readonly Design[];
  readonly baseline: string;
  readonly results: readonly TasksResult[];
  /** What a stack would have had to hold. */
  readonly depths: {
    readonly operations: number;
    readonly deepestBytes: { readonly taskOnly: number; readonly withInterrupts: number };
    /** The task's frames, and the entry of an interrupt that goes on elsewhere. */
    readonly taskOnly: DepthTail;
    /** With interrupts on the same stack. */
    readonly withInterrupts: DepthTail;
  };
}
