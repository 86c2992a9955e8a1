/**
 * A number for each of many numbers, in typed arrays: what a Map finds lies all over memory, which takes several times as long
 * when it is asked a million times.
 */
const FIRST_CAPACITY = 1 << 10;

export class NumberTable {
  #key = new Int32Array(FIRST_CAPACITY);
  /** One more than the value; 0 where there is none. */
  #value = new Int32Array(FIRST_CAPACITY);
  #count = 0;

  /** So many keys have a value. */
  get size(): number {
    return this.#count;
  }

  /** The value of a key (an integer of 32 bits); -1 for none. */
  get(key: number): number {
    return this.#value[this.#find(key)]! - 1;
  }

  /** Gives a key a value, 0 or more. */
  set(key: number, value: number): void {
    const at = this.#find(key);
    const isNew = this.#value[at] === 0;
    this.#key[at] = key;
    this.#value[at] = value + 1;
    if (isNew && ++this.#count * 2 > this.#value.length) this.#grow();
  }

  clear(): void {
    this.#key = new Int32Array(FIRST_CAPACITY);
    this.#value = new Int32Array(FIRST_CAPACITY);
    this.#count = 0;
  }

  /** Where the key is, or belongs. */
  #find(key: number): number {
    const mask = this.#value.length - 1;
    const mixed = Math.imul(key, 0x9e3779b1);
    let at = (mixed ^ (mixed >>> 15)) & mask;
    while (this.#value[at] !== 0 && this.#key[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const [key, value] = [this.#key, this.#value];
    this.#key = new Int32Array(value.length * 2);
    this.#value = new Int32Array(value.length * 2);
    for (let at = 0; at < value.length; at++) {
      if (value[at] === 0) continue;
      const to = this.#find(key[at]!);
      this.#key[to] = key[at]!;
      this.#value[to] = value[at]!;
    }
  }
}
