/** A critical point's counters. */
export interface PointState {
  readonly name: string;
  readonly calls: number;
  readonly switches: number;
  /** Calls that failed with -EIO because no stack was free. */
  readonly refusals: number;
  /** Most bytes of a stack that were in use when the point was called. */
  readonly deepestBytes: number;
  /** How it is hooked: `direct` or `ipmodify`; null where the module does not say. */
  readonly mode: string | null;
}

/** How often this many stacks were in use, right after a switch. */
export interface OccupancyBucket {
  readonly stacks: number;
  readonly count: number;
}

/** How often a stack was held for at least this long and less than twice as long. */
export interface HoldBucket {
  readonly atLeastNs: number;
  readonly count: number;
}

/** What `spillway guard status --json` prints; a contract, to which fields may be added. */
export interface GuardState {
  /** Extra stacks in all. */
  readonly total: number;
  readonly free: number;
  readonly inUse: number;
  /** Most stacks that were in use at once since loading, or since it was reset. */
  readonly highWater: number;
  /** Bytes of a stack in use above which a critical point switches. */
  readonly thresholdBytes: number;
  readonly switches: number;
  readonly refusals: number;
  readonly points: readonly PointState[];
  /** Size of every kernel stack, in bytes. */
  readonly stackBytes: number;
  /** Nobody switches: the module is about to be unloaded. */
  readonly draining: boolean;
  /** Tasks that came back from an extra stack on another CPU; null where the module does not count them. */
  readonly migrated: number | null;
  /** Stacks taken back from tasks that died on them. */
  readonly reaped: number | null;
  /** Deepest use of any extra stack, in bytes. */
  readonly deepestBytes: number | null;
  readonly occupancy: readonly OccupancyBucket[];
  readonly hold: readonly HoldBucket[];
  readonly moduleVersion: string | null;
  readonly kernel: string;
}
