import type { Batches } from "../statistics/batches.ts";

/** Batches that a run is divided into: a power of two, for pairing them up. */
export const BATCHES = 128;

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
  }

  closeBatch(batch: number): void {
    for (const name of COLUMNS) {
      this.#columns[name][batch] = this[name];
      this[name] = 0;
    }
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
