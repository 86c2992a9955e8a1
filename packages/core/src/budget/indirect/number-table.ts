/**
 * A number for each of many numbers, in a typed array: what a Map finds lies all over memory, which takes several times as long
 * when it is asked a million times.
 */
const FIRST_CAPACITY = 1 << 10;

export class NumberTable {
  /** Keys, each with one more than its value behind it; 0 where there is none. */
  #cells = new Int32Array(FIRST_CAPACITY * 2);
  #count = 0;

  /** So many keys have a value. */
  get size(): number {
    return this.#count;
  }

  /** The value of a key (an integer of 32 bits); -1 for none. */
  get(key: number): number {
    return this.#cells[this.#find(key) + 1]! - 1;
  }

  /** Gives a key a value, 0 or more. */
  set(key: number, value: number): void {
    const cells = this.#cells;
    const at = this.#find(key);
    const isNew = cells[at + 1] === 0;
    cells[at] = key;
    cells[at + 1] = value + 1;
    if (isNew && ++this.#count * 4 > cells.length) this.#grow();
  }

  clear(): void {
    this.#cells = new Int32Array(FIRST_CAPACITY * 2);
    this.#count = 0;
  }

  /** Where the key is, or belongs. */
  #find(key: number): number {
    const cells = this.#cells;
    const mask = cells.length - 1;
    const mixed = Math.imul(key, 0x9e3779b1);
    let at = ((mixed ^ (mixed >>> 15)) << 1) & mask;
    while (cells[at + 1] !== 0 && cells[at] !== key) at = (at + 2) & mask;
    return at;
  }

  #grow(): void {
    const cells = this.#cells;
    const grown = new Int32Array(cells.length * 2);
    this.#cells = grown;
    for (let at = 0; at < cells.length; at += 2) {
      if (cells[at + 1] === 0) continue;
      const to = this.#find(cells[at]!);
      grown[to] = cells[at]!;
      grown[to + 1] = cells[at + 1]!;
    }
  }
}
