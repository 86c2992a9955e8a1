/** Sets of small numbers, a bit for each: put together from others at one operation for 32 of them. */
export class Bits {
  readonly words: Int32Array;

  /** @param count of the numbers that there can be, from 0 */
  constructor(count: number) {
    this.words = new Int32Array((count + 31) >>> 5);
  }

  add(number: number): this {
    this.words[number >>> 5]! |= 1 << (number & 31);
    return this;
  }

  addAll(numbers: ArrayLike<number>): this {
    for (let at = 0; at < numbers.length; at++) this.add(numbers[at]!);
    return this;
  }

  has(number: number): boolean {
    return (this.words[number >>> 5]! & (1 << (number & 31))) !== 0;
  }

  /** Adds what another set of as many numbers has. */
  or({ words }: Bits): this {
    for (let word = 0; word < words.length; word++) this.words[word]! |= words[word]!;
    return this;
  }

  /** Keeps what the other has as well. */
  and({ words }: Bits): this {
    for (let word = 0; word < words.length; word++) this.words[word]! &= words[word]!;
    return this;
  }

  copy(): Bits {
    const copy = new Bits(this.words.length * 32);
    copy.words.set(this.words);
    return copy;
  }

  /** Takes all numbers out. */
  clear(): void {
    this.words.fill(0);
  }

  get isEmpty(): boolean {
    return this.words.every((word) => word === 0);
  }

  /** Ascending. */
  numbers(): number[] {
    const found: number[] = [];
    for (let word = 0; word < this.words.length; word++) {
      // The lowest bit that is left, by how many zeros are before it.
      for (let left = this.words[word]!; left !== 0; left &= left - 1) {
        found.push(word * 32 + 31 - Math.clz32(left & -left));
      }
    }
    return found;
  }

  /** Equal for equal sets, and rarely for others. */
  get hash(): number {
    let hash = 0;
    for (let word = 0; word < this.words.length; word++) hash = (Math.imul(hash, 31) + this.words[word]!) | 0;
    return hash;
  }

  equals({ words }: Bits): boolean {
    return this.words.every((word, at) => word === words[at]);
  }
}

/** Numbers equal sets alike, in the order in which they are met. */
export class BitsNumbers {
  readonly #byHash = new Map<number, { readonly bits: Bits; readonly number: number }[]>();
  #count = 0;

  of(bits: Bits): number {
    const { hash } = bits;
    let alike = this.#byHash.get(hash);
    if (alike === undefined) {
      alike = [];
      this.#byHash.set(hash, alike);
    }
    let known = alike.find((one) => one.bits.equals(bits));
    if (known === undefined) {
      known = { bits, number: this.#count++ };
      alike.push(known);
    }
    return known.number;
  }
}
