import type { RandomStream } from "../random/random-stream.ts";

/** Free stacks: how many each CPU's list has. A CPU whose list is empty takes from the next one that has any. */
export class FreeLists {
  free: number;
  readonly #random: RandomStream;
  readonly #lists: Int32Array;

  constructor(stacks: number, cpus: number, random: RandomStream) {
    this.free = stacks;
    this.#random = random;
    this.#lists = new Int32Array(cpus);
    for (let cpu = 0; cpu < cpus; cpu++) this.#lists[cpu] = Math.floor((stacks + cpu) / cpus);
  }

  /** Some CPU. */
  anyCpu(): number {
    return this.#lists.length === 1 ? 0 : this.#random.below(this.#lists.length);
  }

  /** Takes a stack; there must be one. @returns whether it came from another CPU's list */
  take(cpu: number): boolean {
    const lists = this.#lists;
    this.free--;
    let from = cpu;
    while (lists[from] === 0) from = from + 1 === lists.length ? 0 : from + 1;
    lists[from]!--;
    return from !== cpu;
  }

  giveBack(cpu: number): void {
    this.free++;
    this.#lists[cpu]!++;
  }
}
