/**
 * What is still to happen, by time: a heap in which each node has four children (fewer levels, and the four are neighbours in
 * memory), in typed arrays. Nothing is allocated but when it grows.
 */
export class EventHeap {
  #times: Float64Array;
  #ids: Int32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#times = new Float64Array(Math.max(16, capacity)).fill(Number.POSITIVE_INFINITY);
    this.#ids = new Int32Array(this.#times.length);
  }

  get size(): number {
    return this.#size;
  }

  /** When the next event is; Infinity where there is none. */
  get next(): number {
    return this.#times[0]!;
  }

  push(time: number, id: number): void {
    if (this.#size === this.#times.length) this.#grow();
    const times = this.#times;
    const ids = this.#ids;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      if (times[parent]! <= time) break;
      times[at] = times[parent]!;
      ids[at] = ids[parent]!;
      at = parent;
    }
    times[at] = time;
    ids[at] = id;
  }

  /** Takes the earliest event out. @returns its id; there must be one */
  pop(): number {
    const times = this.#times;
    const ids = this.#ids;
    const top = ids[0]!;
    const last = --this.#size;
    const time = times[last]!;
    const id = ids[last]!;
    times[last] = Number.POSITIVE_INFINITY;
    if (last === 0) return top;
    let at = 0;
    for (;;) {
      const first = 4 * at + 1;
      if (first >= last) break;
      const end = Math.min(first + 4, last);
      let least = first;
      for (let child = first + 1; child < end; child++) if (times[child]! < times[least]!) least = child;
      if (times[least]! >= time) break;
      times[at] = times[least]!;
      ids[at] = ids[least]!;
      at = least;
    }
    times[at] = time;
    ids[at] = id;
    return top;
  }

  #grow(): void {
    const times = new Float64Array(2 * this.#times.length).fill(Number.POSITIVE_INFINITY);
    const ids = new Int32Array(times.length);
    times.set(this.#times);
    ids.set(this.#ids);
    this.#times = times;
    this.#ids = ids;
  }
}
