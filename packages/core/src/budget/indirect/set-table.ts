/** Sets of callees as they are asked for, each made once. */
import { Bits } from "../bits.ts";
import type { CalleeSets } from "../call-graph.ts";
import type { FunctionTable } from "../function-table.ts";

/** Puts what belongs to a set into it and returns its label; null where there is none after all. */
type Fill = (members: Bits) => string | null;

export class SetTable {
  readonly #table: FunctionTable;
  readonly #numbers = new Map<string, number>();
  readonly #members: Int32Array[] = [];
  readonly #labels: string[] = [];
  /** Of the set that is being made. */
  readonly #filling: Bits;
  readonly #indexes = new Map<number, number>();

  constructor(table: FunctionTable) {
    this.#table = table;
    this.#filling = new Bits(table.count);
  }

  /** Number of the set of that key, which is filled when it is first asked for; -1 where it came to nothing. */
  of(key: string, fill: Fill): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      const label = fill(this.#filling);
      number = label === null ? -1 : this.#members.length;
      if (label !== null) {
        this.#members.push(Int32Array.from(this.#filling.numbers()));
        this.#labels.push(label);
      }
      this.#filling.clear();
      this.#numbers.set(key, number);
    }
    return number;
  }

  /** Adds functions by their entries to a set; those that the table has not are left out. */
  addEntries(members: Bits, entries: Iterable<number>): void {
    for (const entry of entries) {
      const index = this.indexOf(entry);
      if (index >= 0) members.add(index);
    }
  }

  /** Number of the function that begins at an address; -1 for none. */
  indexOf(entry: number): number {
    let index = this.#indexes.get(entry);
    if (index === undefined) {
      index = this.#table.entryAt(entry);
      this.#indexes.set(entry, index);
    }
    return index;
  }

  sets(): CalleeSets {
    const start = new Int32Array(this.#members.length + 1);
    for (const [n, list] of this.#members.entries()) start[n + 1] = start[n]! + list.length;
    const members = new Int32Array(start.at(-1)!);
    for (const [n, list] of this.#members.entries()) members.set(list, start[n]!);
    return { count: this.#members.length, start, members, label: this.#labels };
  }
}
