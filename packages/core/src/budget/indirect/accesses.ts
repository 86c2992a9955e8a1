/** Loads or stores through each node of the flow graph: at which offset behind what it points to, and from or to which node. */
import { longer } from "../growing.ts";
import { NumberLists } from "./number-lists.ts";

/** Offsets beyond say nothing of kernel objects; those that agree in these bits are one. */
const OFFSET_MASK = 0xfffff;

export class Accesses {
  readonly #nodes = new NumberLists();
  /** By element. */
  #offset = new Int32Array(1 << 12);
  /** The last one of each node that has been looked at; 0 for none. */
  #seen = new Int32Array(1 << 12);

  /** The first access through a node; 0 for none. */
  first(pointer: number): number {
    return this.#nodes.first(pointer);
  }

  next(access: number): number {
    return this.#nodes.next(access);
  }

  /** The first that came since all were seen. */
  firstNew(pointer: number): number {
    return this.#nodes.after(pointer, pointer < this.#seen.length ? this.#seen[pointer]! : 0);
  }

  /** All have been looked at. */
  see(pointer: number): void {
    const last = this.#nodes.last(pointer);
    if (last === 0) return;
    if (pointer >= this.#seen.length) this.#seen = longer(this.#seen, pointer + 1);
    this.#seen[pointer] = last;
  }

  offset(access: number): number {
    return this.#offset[access]!;
  }

  node(access: number): number {
    return this.#nodes.value(access);
  }

  /** The node of the access at an offset; -1 for none. */
  nodeAt(pointer: number, offset: number): number {
    for (let access = this.first(pointer); access !== 0; access = this.next(access)) {
      if (((this.#offset[access]! ^ offset) & OFFSET_MASK) === 0) return this.node(access);
    }
    return -1;
  }

  /** False where it was there already. */
  add(pointer: number, offset: number, node: number): boolean {
    for (let access = this.first(pointer); access !== 0; access = this.next(access)) {
      if (this.#offset[access] === offset && this.node(access) === node) return false;
    }
    const access = this.#nodes.append(pointer, node);
    if (access >= this.#offset.length) this.#offset = longer(this.#offset, access + 1);
    this.#offset[access] = offset;
    return true;
  }
}
