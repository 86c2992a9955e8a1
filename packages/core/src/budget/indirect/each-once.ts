import { longer } from "../growing.ts";

/** Gathers lists of small numbers into one list, in which each is once: as a Set would, at a fraction of the time. */
export class EachOnce {
  /** By number: the gathering in which it was met last. */
  #met = new Int32Array(1 << 10);
  #gathering = 0;
  #found: number[] = [];
  #last: readonly number[] | null = null;

  /** What was gathered before is left to whoever has it. */
  begin(): void {
    this.#gathering++;
    this.#found = [];
    this.#last = null;
  }

  add(numbers: readonly number[]): void {
    // One list often comes several times.
    if (numbers.length === 0 || numbers === this.#last) return;
    this.#last = numbers;
    for (let at = 0; at < numbers.length; at++) this.addOne(numbers[at]!);
  }

  addOne(number: number): void {
    if (number >= this.#met.length) this.#met = longer(this.#met, number + 1);
    if (this.#met[number] === this.#gathering) return;
    this.#met[number] = this.#gathering;
    this.#found.push(number);
  }

  /** All that was added, in the order in which it came. */
  get found(): readonly number[] {
    return this.#found;
  }
}
