/** A binary heap of numbers by a key, smallest first. A changed key is pushed again; who pops knows which keys are stale. */
export class MinHeap {
  readonly #items: number[] = [];
  readonly #keys: number[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: number, key: number): void {
    let at = this.#items.length;
    this.#items.push(item);
    this.#keys.push(key);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#keys[parent] as number) <= key) break;
      this.#items[at] = this.#items[parent] as number;
      this.#keys[at] = this.#keys[parent] as number;
      at = parent;
    }
    this.#items[at] = item;
    this.#keys[at] = key;
  }

  pop(): { item: number; key: number } | null {
    const item = this.#items[0];
    const key = this.#keys[0];
    if (item === undefined || key === undefined) return null;
    const lastItem = this.#items.pop() as number;
    const lastKey = this.#keys.pop() as number;
    const size = this.#items.length;
    if (size === 0) return { item, key };
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (this.#keys[child + 1] as number) < (this.#keys[child] as number)) child++;
      if ((this.#keys[child] as number) >= lastKey) break;
      this.#items[at] = this.#items[child] as number;
      this.#keys[at] = this.#keys[child] as number;
      at = child;
    }
    this.#items[at] = lastItem;
    this.#keys[at] = lastKey;
    return { item, key };
  }
}
