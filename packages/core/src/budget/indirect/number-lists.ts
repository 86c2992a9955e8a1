/**
 * Very many lists of a few numbers each, chained in common columns: one array a list would take several times the memory.
 * A list's elements are known by their places in the columns, which stay as they are; 0 is none.
 */
import { longer } from "../growing.ts";

export class NumberLists {
  /** Of each list the first element and the last, side by side. */
  #ends = new Int32Array(1 << 13);
  /** Of each element the next one of its list and its value. */
  #elements = new Int32Array(1 << 13);
  /** Of all lists, and the place 0. */
  #count = 1;

  /** The first element of a list. */
  first(list: number): number {
    const at = list * 2;
    return at < this.#ends.length ? this.#ends[at]! : 0;
  }

  last(list: number): number {
    const at = list * 2 + 1;
    return at < this.#ends.length ? this.#ends[at]! : 0;
  }

  /** The element behind another of the list, the first one behind none. */
  after(list: number, element: number): number {
    return element === 0 ? this.first(list) : this.next(element);
  }

  next(element: number): number {
    return this.#elements[element * 2]!;
  }

  value(element: number): number {
    return this.#elements[element * 2 + 1]!;
  }

  /** So many elements a list has where none of them is a value; -1 where one is. */
  countWithout(list: number, value: number): number {
    const elements = this.#elements;
    let count = 0;
    for (let at = this.first(list); at !== 0; at = elements[at * 2]!) {
      if (elements[at * 2 + 1] === value) return -1;
      count++;
    }
    return count;
  }

  values(list: number): number[] {
    const values: number[] = [];
    for (let at = this.first(list); at !== 0; at = this.next(at)) values.push(this.value(at));
    return values;
  }

  /** Adds an element behind all others. */
  append(list: number, value: number): number {
    if (list * 2 >= this.#ends.length) this.#ends = longer(this.#ends, list * 2 + 2);
    const element = this.#count++;
    if (element * 2 === this.#elements.length) this.#elements = longer(this.#elements, element * 2 + 2);
    this.#elements[element * 2 + 1] = value;
    const last = this.#ends[list * 2 + 1]!;
    if (last === 0) this.#ends[list * 2] = element;
    else this.#elements[last * 2] = element;
    this.#ends[list * 2 + 1] = element;
    return element;
  }

  /** Takes all elements out of a list. */
  clear(list: number): void {
    if (list * 2 >= this.#ends.length) return;
    this.#ends[list * 2] = 0;
    this.#ends[list * 2 + 1] = 0;
  }
}
