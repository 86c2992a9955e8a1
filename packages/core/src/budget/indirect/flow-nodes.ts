/**
 * The nodes of the flow graph: what each stands for, and how it is found. In columns and, for what functions and prototypes
 * have, in tables: there are hundreds of thousands.
 */
import { longer, longerBytes } from "../growing.ts";
import { NumberTable } from "./number-table.ts";

export type NodeKind = "member" | "global" | "table" | "parameter" | "result" | "local" | "load" | "pool";

const KINDS: readonly NodeKind[] = ["member", "global", "table", "parameter", "result", "local", "load", "pool"];
const NUMBERS = Object.fromEntries(KINDS.map((kind, number) => [kind, number])) as Record<NodeKind, number>;
const { member: MEMBER, local: LOCAL, load: LOAD, pool: POOL } = NUMBERS;

/** What a function or a prototype has: argument registers, then these. */
export const RESULT = 6;
/** What a pointer of a prototype calls that comes from nowhere known. */
export const ANY = 7;
const PARTS = 8;

export class FlowNodes {
  count = 0;
  #kind = new Uint8Array(1 << 12);
  /** Address of a variable, table or function; number of a prototype or a name; 0 for others. */
  #at = new Int32Array(1 << 12);
  /** Of its function or prototype; PARTS for what has a name. */
  #part = new Uint8Array(1 << 12);
  readonly #names: string[] = [];
  /** By the keys of their places. */
  readonly members = new Map<string, number>();
  /** By name. */
  readonly pools = new Map<string, number>();
  /** By address. */
  readonly globals = new Map<number, number>();
  readonly tables = new Map<number, number>();
  /** Numbers of functions, by their entries. */
  readonly #functions = new NumberTable();
  /** One more than the node, for each part of each function. */
  #ofFunctions = new Int32Array(1 << 12);
  #ofPrototypes = new Int32Array(1 << 12);

  #add(kind: NodeKind, at: number, part: number): number {
    const node = this.count++;
    if (node === this.#kind.length) {
      this.#kind = longerBytes(this.#kind);
      this.#part = longerBytes(this.#part);
      this.#at = longer(this.#at, node + 1);
    }
    this.#kind[node] = NUMBERS[kind];
    this.#at[node] = at;
    this.#part[node] = part;
    return node;
  }

  kind(node: number): NodeKind {
    return KINDS[this.#kind[node]!]!;
  }

  /** Is it a value of some function, and no place of its own? */
  isValue(node: number): boolean {
    const kind = this.#kind[node];
    return kind === LOCAL || kind === LOAD;
  }

  isMember(node: number): boolean {
    return this.#kind[node] === MEMBER;
  }

  isPool(node: number): boolean {
    return this.#kind[node] === POOL;
  }

  /** One that nothing leads to. */
  add(kind: "local" | "load"): number {
    return this.#add(kind, 0, 0);
  }

  /** One of those that an address has one of. */
  addAt(kind: "global" | "table", address: number): number {
    const node = this.#add(kind, address, 0);
    (kind === "global" ? this.globals : this.tables).set(address, node);
    return node;
  }

  addNamed(kind: "member" | "pool", key: string, name: string): number {
    const node = this.#add(kind, this.#names.length, PARTS);
    this.#names.push(name);
    (kind === "member" ? this.members : this.pools).set(key, node);
    return node;
  }

  /** What a function takes in a register, or returns. */
  ofFunction(entry: number, part: number): number {
    let number = this.#functions.get(entry);
    if (number < 0) {
      number = this.#functions.size;
      this.#functions.set(entry, number);
    }
    const at = number * PARTS + part;
    if (at >= this.#ofFunctions.length) this.#ofFunctions = longer(this.#ofFunctions, at + 1);
    if (this.#ofFunctions[at] === 0)
      this.#ofFunctions[at] = this.#add(part === RESULT ? "result" : "parameter", entry, part) + 1;
    return this.#ofFunctions[at]! - 1;
  }

  /** What all calls by pointers of a prototype take, return or are. */
  ofPrototype(prototype: number, part: number): number {
    const at = prototype * PARTS + part;
    if (at >= this.#ofPrototypes.length) this.#ofPrototypes = longer(this.#ofPrototypes, at + 1);
    if (this.#ofPrototypes[at] === 0) this.#ofPrototypes[at] = this.#add("pool", prototype, part) + 1;
    return this.#ofPrototypes[at]! - 1;
  }

  /** The name that a node was given, or has as a part of a prototype; null for others. */
  name(node: number): string | null {
    const part = this.#part[node]!;
    const at = this.#at[node]!;
    if (part === PARTS) return this.#names[at]!;
    if (this.kind(node) !== "pool") return null;
    return part === RESULT ? `result ${at}` : part === ANY ? `any ${at}` : `argument ${at} ${part}`;
  }

  /** Address of a variable, a table or the function whose node it is. */
  address(node: number): number {
    return this.#at[node]!;
  }

  /** Number of the argument register. */
  argument(node: number): number {
    return this.#part[node]!;
  }
}
