import type { Batches } from "../statistics/batches.ts";

/** Batches that a run is divided into: a power of two, for pairing them up. */
export const BATCHES = 128;

/** Larger pools would take megabytes for what only rare refusals need. */
const MOST_LEVELS_KEPT = 4096;

/** What is added up in a run, batch by batch. Fields are of the current batch until it is closed. */
export class Tally {
  /** Crossings that needed a stack. */
  attempts = 0;
  /** Of them, those that failed. */
  refused = 0;
  /** Of them, those that had to wait and got a stack in the end. */
  waited = 0;
  /** Seconds they waited. */
  waitTime = 0;
  /** Stacks in use, added up over attempts: what arrivals see. */
  seen = 0;
  /** Stacks in use by seconds. */
  area = 0;
  seconds = 0;
  deadlocks = 0;

  /** Attempts that met so many stacks in use, or null where there are too many sizes to keep them by batch. */
  readonly seenWith: Float64Array | null;
  readonly #seenByBatch: Float64Array[] = [];

  /** Over the whole run. */
  calls = 0;
  nestedAttempts = 0;
  nestedRefused = 0;
  seenSquares = 0;
  holds = 0;
  holdTime = 0;
  steals = 0;
  highWater = 0;
  longestWait = 0;
  deadlockedTasks = 0;
  longestQueue = 0;
  /** Seconds with so many stacks in use. */
  readonly timeWith: Float64Array;

  readonly #columns = {
    attempts: new Float64Array(BATCHES),
    refused: new Float64Array(BATCHES),
    waited: new Float64Array(BATCHES),
    waitTime: new Float64Array(BATCHES),
    seen: new Float64Array(BATCHES),
    area: new Float64Array(BATCHES),
    seconds: new Float64Array(BATCHES),
    deadlocks: new Float64Array(BATCHES),
  };

  constructor(stacks: number) {
    this.timeWith = new Float64Array(stacks + 1);
    this.seenWith = stacks <= MOST_LEVELS_KEPT ? new Float64Array(stacks + 1) : null;
  }

  closeBatch(batch: number): void {
    for (const name of COLUMNS) {
      this.#columns[name][batch] = this[name];
      this[name] = 0;
    }
    if (this.seenWith === null) return;
    this.#seenByBatch[batch] = this.seenWith.slice();
    this.seenWith.fill(0);
  }

  /**
   * Attempts that met at least so many stacks in use, for the highest such number that `least` attempts met; null where not even that is known.
   * They come in runs as refusals do, in longer ones.
   */
  crowded(least: number): Batches | null {
    if (this.seenWith === null) return null;
    const weights = this.#columns.attempts;
    const sums = new Float64Array(BATCHES);
    let met = 0;
    for (let level = this.seenWith.length - 1; level >= 0 && met < least; level--) {
      for (let batch = 0; batch < BATCHES; batch++) {
        const here = this.#seenByBatch[batch]?.[level] ?? 0;
        sums[batch]! += here;
        met += here;
      }
    }
    return met < least ? null : { sums, weights };
  }

  batches(sums: TallyColumn, weights: TallyColumn): Batches {
    return { sums: this.#columns[sums], weights: this.#columns[weights] };
  }

  total(name: TallyColumn): number {
    let sum = 0;
    for (const value of this.#columns[name]) sum += value;
    return sum;
  }
}

const COLUMNS = ["attempts", "refused", "waited", "waitTime", "seen", "area", "seconds", "deadlocks"] as const;
export type TallyColumn = (typeof COLUMNS)[number];
