/**
 * A number for each of many pairs of numbers, in typed arrays: a Map would need one key for both, which as a number above 2^31
 * is an object of its own.
 */
const FIRST_CAPACITY = 1 << 12;

export class PairTable {
  #one = new Int32Array(FIRST_CAPACITY);
  #other = new Int32Array(FIRST_CAPACITY);
  /** One more than the value; 0 where there is none. */
  #value = new Int32Array(FIRST_CAPACITY);
  #count = 0;

  /** The value of a pair; -1 for none. */
  get(one: number, other: number): number {
    return this.#value[this.#find(one, other)]! - 1;
  }

  /** Gives a pair a value, 0 or more. */
  set(one: number, other: number, value: number): void {
    const at = this.#find(one, other);
    const isNew = this.#value[at] === 0;
    this.#one[at] = one;
    this.#other[at] = other;
    this.#value[at] = value + 1;
    if (isNew && ++this.#count * 4 > this.#value.length * 3) this.#grow();
  }

  /** Where the pair is, or belongs. */
  #find(one: number, other: number): number {
    const mask = this.#value.length - 1;
    const mixed = Math.imul(Math.imul(one, 0x9e3779b1) ^ other, 0x85ebca6b);
    let at = (mixed ^ (mixed >>> 15)) & mask;
    while (this.#value[at] !== 0 && (this.#one[at] !== one || this.#other[at] !== other)) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const [one, other, value] = [this.#one, this.#other, this.#value];
    const capacity = value.length * 2;
    this.#one = new Int32Array(capacity);
    this.#other = new Int32Array(capacity);
    this.#value = new Int32Array(capacity);
    for (let at = 0; at < value.length; at++) {
      if (value[at] === 0) continue;
      const to = this.#find(one[at]!, other[at]!);
      this.#one[to] = one[at]!;
      this.#other[to] = other[at]!;
      this.#value[to] = value[at]!;
    }
  }
}
