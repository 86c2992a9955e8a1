/**
 * A number for each of many pairs of numbers, in a typed array: a Map would need one key for both, which as a number above 2^31
 * is an object of its own.
 */
const FIRST_CAPACITY = 1 << 12;

/** Of a pair, side by side: looking one up touches one place of memory. */
const ONE = 0;
const OTHER = 1;
/** One more than the value; 0 where there is no pair. */
const VALUE = 2;
const WIDTH = 4;

export class PairTable {
  #cells = new Int32Array(FIRST_CAPACITY * WIDTH);
  #mask = FIRST_CAPACITY - 1;
  #count = 0;

  /** The value of a pair; -1 for none. */
  get(one: number, other: number): number {
    return this.#cells[this.#find(one, other) + VALUE]! - 1;
  }

  /** Gives a pair a value, 0 or more. */
  set(one: number, other: number, value: number): void {
    this.#put(this.#find(one, other), one, other, value);
  }

  /** Gives a pair that has no value one; false where it has one already, and keeps it. */
  add(one: number, other: number, value: number): boolean {
    const at = this.#find(one, other);
    if (this.#cells[at + VALUE] !== 0) return false;
    this.#put(at, one, other, value);
    return true;
  }

  #put(at: number, one: number, other: number, value: number): void {
    const cells = this.#cells;
    const isNew = cells[at + VALUE] === 0;
    cells[at + ONE] = one;
    cells[at + OTHER] = other;
    cells[at + VALUE] = value + 1;
    if (isNew && ++this.#count * 4 > (this.#mask + 1) * 3) this.#grow();
  }

  /** Where the pair is, or belongs. */
  #find(one: number, other: number): number {
    const cells = this.#cells;
    const mask = this.#mask;
    const mixed = Math.imul(Math.imul(one, 0x9e3779b1) ^ other, 0x85ebca6b);
    let at = (mixed ^ (mixed >>> 15)) & mask;
    for (;;) {
      const cell = at * WIDTH;
      if (cells[cell + VALUE] === 0 || (cells[cell + ONE] === one && cells[cell + OTHER] === other)) return cell;
      at = (at + 1) & mask;
    }
  }

  #grow(): void {
    const cells = this.#cells;
    const grown = new Int32Array(cells.length * 2);
    this.#cells = grown;
    this.#mask = this.#mask * 2 + 1;
    for (let cell = 0; cell < cells.length; cell += WIDTH) {
      if (cells[cell + VALUE] === 0) continue;
      const to = this.#find(cells[cell + ONE]!, cells[cell + OTHER]!);
      grown[to + ONE] = cells[cell + ONE]!;
      grown[to + OTHER] = cells[cell + OTHER]!;
      grown[to + VALUE] = cells[cell + VALUE]!;
    }
  }
}
