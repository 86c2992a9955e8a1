/** Columns of a length that is not known before. */

/** A column of 32-bit numbers of a length that is not known before. */
export class GrowingColumn {
  length = 0;
  #values = new Int32Array(4096);

  push(value: number): void {
    if (this.length === this.#values.length) this.#values = longer(this.#values, this.length + 1);
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

/** The same column with room for at least so many numbers, and for twice as many as before. */
export function longer(column: Int32Array<ArrayBuffer>, count: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(Math.max(count, column.length * 2));
  grown.set(column);
  return grown;
}

/** The same column of bytes, twice as long. */
export function longerBytes(column: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(column.length * 2);
  grown.set(column);
  return grown;
}
