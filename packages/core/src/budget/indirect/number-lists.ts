/**
 * Very many lists of a few numbers each, chained in common columns: one array a list would take several times the memory.
 * A list's elements are known by their places in the columns, which stay as they are; 0 is none.
 */
import { longer } from "../growing.ts";

export class NumberLists {
  #first = new Int32Array(1 << 12);
  #last = new Int32Array(1 << 12);
  #next = new Int32Array(1 << 12);
  #value = new Int32Array(1 << 12);
  /** Of all lists, and the place 0. */
  #count = 1;

  /** The first element of a list. */
  first(list: number): number {
    return list < this.#first.length ? this.#first[list]! : 0;
  }

  last(list: number): number {
    return list < this.#last.length ? this.#last[list]! : 0;
  }

  /** The element behind another of the list, the first one behind none. */
  after(list: number, element: number): number {
    return element === 0 ? this.first(list) : this.#next[element]!;
  }

  next(element: number): number {
    return this.#next[element]!;
  }

  value(element: number): number {
    return this.#value[element]!;
  }

  has(list: number, value: number): boolean {
    for (let at = this.first(list); at !== 0; at = this.#next[at]!) if (this.#value[at] === value) return true;
    return false;
  }

  count(list: number): number {
    let count = 0;
    for (let at = this.first(list); at !== 0; at = this.#next[at]!) count++;
    return count;
  }

  values(list: number): number[] {
    const values: number[] = [];
    for (let at = this.first(list); at !== 0; at = this.#next[at]!) values.push(this.#value[at]!);
    return values;
  }

  /** Adds an element behind all others. */
  append(list: number, value: number): number {
    if (list >= this.#first.length) {
      this.#first = longer(this.#first, list + 1);
      this.#last = longer(this.#last, list + 1);
    }
    if (this.#count === this.#next.length) {
      this.#next = longer(this.#next, this.#count + 1);
      this.#value = longer(this.#value, this.#count + 1);
    }
    const element = this.#count++;
    this.#value[element] = value;
    const last = this.#last[list]!;
    if (last === 0) this.#first[list] = element;
    else this.#next[last] = element;
    this.#last[list] = element;
    return element;
  }

  /** Takes all elements out of a list. */
  clear(list: number): void {
    if (list >= this.#first.length) return;
    this.#first[list] = 0;
    this.#last[list] = 0;
  }
}
