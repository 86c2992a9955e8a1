/**
 * Values by pairs of numbers, for one function after the other: in arrays that stay, since a new Map for each of tens of
 * thousands of functions costs more than what is put in it. A small function uses the beginning of the arrays only.
 */
import type { Value } from "./values.ts";

const FIRST_CAPACITY = 1 << 7;

export class ValueTable {
  #one = new Int32Array(FIRST_CAPACITY);
  #other = new Int32Array(FIRST_CAPACITY);
  /** The round in which a place was filled; of earlier ones it is free. */
  #filled = new Int32Array(FIRST_CAPACITY);
  #values: (Value | null)[] = new Array<Value | null>(FIRST_CAPACITY).fill(null);
  #round = 1;
  #mask = FIRST_CAPACITY - 1;
  #count = 0;

  /** The value of a pair; null for none. */
  get(one: number, other: number): Value | null {
    const at = this.#find(one, other);
    return this.#filled[at] === this.#round ? this.#values[at]! : null;
  }

  /** Gives a value to a pair that has none. */
  add(one: number, other: number, value: Value): void {
    this.#put(one, other, value);
    if (++this.#count * 2 > this.#mask) this.#grow();
  }

  /** Forgets all. */
  clear(): void {
    this.#round++;
    this.#mask = FIRST_CAPACITY - 1;
    this.#count = 0;
  }

  #put(one: number, other: number, value: Value): void {
    const at = this.#find(one, other);
    this.#one[at] = one;
    this.#other[at] = other;
    this.#filled[at] = this.#round;
    this.#values[at] = value;
  }

  #find(one: number, other: number): number {
    const mask = this.#mask;
    const mixed = Math.imul(Math.imul(one, 0x9e3779b1) ^ other, 0x85ebca6b);
    let at = (mixed ^ (mixed >>> 15)) & mask;
    while (this.#filled[at] === this.#round && (this.#one[at] !== one || this.#other[at] !== other))
      at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const before = this.#mask + 1;
    const filled: number[] = [];
    for (let at = 0; at < before; at++) if (this.#filled[at] === this.#round) filled.push(at);
    const pairs = filled.map((at) => ({ one: this.#one[at]!, other: this.#other[at]!, value: this.#values[at]! }));
    this.#round++;
    this.#mask = 2 * before - 1;
    if (this.#mask >= this.#one.length) {
      this.#one = new Int32Array(2 * before);
      this.#other = new Int32Array(2 * before);
      this.#filled = new Int32Array(2 * before);
      this.#values = new Array<Value | null>(2 * before).fill(null);
    }
    for (const { one, other, value } of pairs) this.#put(one, other, value);
  }
}
