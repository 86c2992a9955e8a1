/** What is known of the blocks of a function's loops while they are run again and again: columns by block. */
import { OTHERS } from "./place-set.ts";

const FIRST_CAPACITY = 256;
/** All bits of a number of a PlaceSet. */
export const ALL_PLACES = -1;

export class LoopBlocks {
  /** The state changed since it was run; so many have. */
  #dirty = new Uint8Array(0);
  left = 0;
  runs = new Uint8Array(0);
  /** What it tells is known only when it is run again with all that others have told. */
  isToRun = new Uint8Array(0);
  /** Places that changed since the last run; see PlaceSet. */
  changedLow = new Int32Array(0);
  changedHigh = new Int32Array(0);
  /** Places that the block reads before it writes them; all, as long as that is not known. */
  #readLow = new Int32Array(0);
  #readHigh = new Int32Array(0);
  writtenLow = new Int32Array(0);
  writtenHigh = new Int32Array(0);

  /** For blocks `first` to `last`. */
  begin(first: number, last: number): void {
    if (last >= this.runs.length) this.#reserve(Math.max(FIRST_CAPACITY, 2 * last));
    this.left = 0;
    this.#dirty.fill(0, first, last + 1);
    this.runs.fill(0, first, last + 1);
    this.changedLow.fill(0, first, last + 1);
    this.changedHigh.fill(0, first, last + 1);
    this.#readLow.fill(ALL_PLACES, first, last + 1);
    this.#readHigh.fill(ALL_PLACES, first, last + 1);
  }

  #reserve(capacity: number): void {
    this.#dirty = new Uint8Array(capacity);
    this.runs = new Uint8Array(capacity);
    this.isToRun = new Uint8Array(capacity);
    this.changedLow = new Int32Array(capacity);
    this.changedHigh = new Int32Array(capacity);
    this.#readLow = new Int32Array(capacity);
    this.#readHigh = new Int32Array(capacity);
    this.writtenLow = new Int32Array(capacity);
    this.writtenHigh = new Int32Array(capacity);
  }

  /** All of a block's state is new. */
  renew(block: number): void {
    this.change(block, ALL_PLACES, ALL_PLACES);
  }

  change(block: number, low: number, high: number): void {
    this.changedLow[block]! |= low;
    this.changedHigh[block]! |= high;
    if (this.#dirty[block] !== 0) return;
    this.#dirty[block] = 1;
    this.left++;
  }

  /** True once for a block whose state changed. */
  take(block: number): boolean {
    if (this.#dirty[block] === 0) return false;
    this.#dirty[block] = 0;
    this.left--;
    return true;
  }

  /** What a run of the block read and wrote. */
  ran(block: number, readLow: number, readHigh: number, writtenLow: number, writtenHigh: number): void {
    this.#readLow[block] = readLow;
    this.#readHigh[block] = readHigh | OTHERS;
    this.writtenLow[block] = writtenLow;
    this.writtenHigh[block] = writtenHigh & ~OTHERS;
  }

  /** Does the block do something with what changed? It does not where all of that goes through it, or is overwritten. */
  reads(block: number): boolean {
    return (
      (this.changedLow[block]! & this.#readLow[block]!) !== 0 ||
      (this.changedHigh[block]! & this.#readHigh[block]!) !== 0
    );
  }
}
