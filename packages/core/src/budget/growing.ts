/** A column of 32-bit numbers of a length that is not known before. */
export class GrowingColumn {
  length = 0;
  #values = new Int32Array(4096);

  push(value: number): void {
    if (this.length === this.#values.length) {
      const longer = new Int32Array(this.#values.length * 2);
      longer.set(this.#values);
      this.#values = longer;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index]!;
  }

  /** The values so far; a view that later pushes may leave behind. */
  get values(): Int32Array {
    return this.#values.subarray(0, this.length);
  }
}
