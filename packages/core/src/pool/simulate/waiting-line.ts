/** Tasks that wait, first come first served: a ring that grows. */
export class WaitingLine {
  #ring = new Int32Array(64);
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(task: number): void {
    if (this.#length === this.#ring.length) {
      const larger = new Int32Array(2 * this.#ring.length);
      for (let index = 0; index < this.#length; index++) larger[index] = this.#at(index);
      this.#ring = larger;
      this.#first = 0;
    }
    this.#ring[(this.#first + this.#length++) & (this.#ring.length - 1)] = task;
  }

  /** Takes the one that came first; there must be one. */
  take(): number {
    const task = this.#at(0);
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.#length--;
    return task;
  }

  #at(index: number): number {
    return this.#ring[(this.#first + index) & (this.#ring.length - 1)]!;
  }
}
