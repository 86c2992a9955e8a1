/**
 * Sets of functions, each of which exists once: a set is a number, equal sets are the same number, and what comes of joining
 * two is looked up. Thousands of nodes of the flow graph share what flows through all of them.
 */
import { longer } from "../growing.ts";
import { PairTable } from "./pair-table.ts";

/** The set without a function. */
export const NO_FUNCTIONS = 0;

export class FunctionSets {
  /** The functions of all sets, those of one ascending. */
  #functions = new Int32Array(1 << 14);
  #start = new Int32Array(1 << 10);
  #count = 0;
  readonly #byHash = new Map<number, number>();
  /** Sets of one hash: the one that was there before. */
  #alike = new Int32Array(1 << 10);
  readonly #added = new PairTable();
  readonly #joined = new PairTable();

  constructor() {
    this.#intern(0);
  }

  size(set: number): number {
    return this.#start[set + 1]! - this.#start[set]!;
  }

  /** Entries of the functions, ascending. */
  functions(set: number): Int32Array {
    return this.#functions.subarray(this.#start[set]!, this.#start[set + 1]!);
  }

  has(set: number, entry: number): boolean {
    let low = this.#start[set]!;
    let high = this.#start[set + 1]!;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#functions[middle]! < entry) low = middle + 1;
      else high = middle;
    }
    return low < this.#start[set + 1]! && this.#functions[low] === entry;
  }

  /** The set with one function more. */
  with(set: number, entry: number): number {
    let found = this.#added.get(set, entry);
    if (found < 0) {
      found = this.has(set, entry) ? set : this.#insert(set, entry);
      this.#added.set(set, entry, found);
    }
    return found;
  }

  #insert(set: number, entry: number): number {
    const start = this.#start[set]!;
    const end = this.#start[set + 1]!;
    const to = this.#room(end - start + 1);
    let at = to;
    let from = start;
    while (from < end && this.#functions[from]! < entry) this.#functions[at++] = this.#functions[from++]!;
    this.#functions[at++] = entry;
    while (from < end) this.#functions[at++] = this.#functions[from++]!;
    return this.#intern(at - to);
  }

  /** What is in either set. */
  join(one: number, other: number): number {
    if (one === other || other === NO_FUNCTIONS) return one;
    if (one === NO_FUNCTIONS) return other;
    if (one > other) return this.join(other, one);
    let found = this.#joined.get(one, other);
    if (found < 0) {
      found = this.#merge(one, other);
      this.#joined.set(one, other, found);
    }
    return found;
  }

  #merge(one: number, other: number): number {
    let a = this.#start[one]!;
    let b = this.#start[other]!;
    const endA = this.#start[one + 1]!;
    const endB = this.#start[other + 1]!;
    const to = this.#room(endA - a + endB - b);
    const functions = this.#functions;
    let at = to;
    while (a < endA && b < endB) {
      const x = functions[a]!;
      const y = functions[b]!;
      functions[at++] = Math.min(x, y);
      if (x <= y) a++;
      if (y <= x) b++;
    }
    while (a < endA) functions[at++] = functions[a++]!;
    while (b < endB) functions[at++] = functions[b++]!;
    return this.#intern(at - to);
  }

  /** Those of a set's functions that pass a test. */
  where(set: number, test: (entry: number) => boolean): number {
    const end = this.#start[set + 1]!;
    const to = this.#room(this.size(set));
    let at = to;
    for (let from = this.#start[set]!; from < end; from++) {
      const entry = this.#functions[from]!;
      if (test(entry)) this.#functions[at++] = entry;
    }
    return this.#intern(at - to);
  }

  /** Place behind all sets, for a set of so many functions. */
  #room(size: number): number {
    const start = this.#start[this.#count]!;
    if (start + size > this.#functions.length) this.#functions = longer(this.#functions, start + size);
    return start;
  }

  /** Number of the set whose functions have been put behind all others. */
  #intern(size: number): number {
    const start = this.#start[this.#count]!;
    const hash = this.#hash(start, size);
    const alike = this.#byHash.get(hash) ?? -1;
    for (let set = alike; set >= 0; set = this.#alike[set]!) if (this.#isAt(set, start, size)) return set;
    const set = this.#count++;
    if (set + 1 === this.#start.length) {
      this.#start = longer(this.#start, set + 2);
      this.#alike = longer(this.#alike, set + 2);
    }
    this.#start[set + 1] = start + size;
    this.#alike[set] = alike;
    this.#byHash.set(hash, set);
    return set;
  }

  #hash(start: number, size: number): number {
    let hash = size;
    for (let at = start; at < start + size; at++) hash = (Math.imul(hash, 0x01000193) ^ this.#functions[at]!) | 0;
    return hash;
  }

  #isAt(set: number, start: number, size: number): boolean {
    if (this.size(set) !== size) return false;
    const own = this.#start[set]!;
    for (let n = 0; n < size; n++) if (this.#functions[own + n] !== this.#functions[start + n]) return false;
    return true;
  }
}
