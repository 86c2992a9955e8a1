/**
 * How function pointers and the pointers that lead to them move between places of a program: a graph of nodes (members of
 * structs, global variables, parameters, results), solved for what each can hold. Field-based, in the manner of Heintze and
 * Tardieu (PLDI 2001) and of multi-layer type analysis (Lu and Hu, CCS 2019): all objects of a struct share one node for
 * each member, and order in time plays no part.
 */
import type { CAggregate, CType } from "../../types/type-provider.ts";
import { LINKS } from "./links.ts";
import type { Place, StructPlaces } from "./struct-places.ts";

export type NodeKind = "member" | "global" | "table" | "parameter" | "result" | "local" | "load" | "pool";

/** Pointers to more different things than these say nothing; `void *` members hold pointers to everything. */
const MOST_TARGETS = 12;
/** The same for functions, where no declared type says that only some fit. */
const MOST_FUNCTIONS = 64;
const MOST_ORIGINS = 8;

const KIND_NAMES: Readonly<Record<NodeKind, string>> = {
  member: "a member",
  global: "a variable",
  table: "a table",
  parameter: "a parameter",
  result: "a result",
  local: "a value",
  load: "a value",
  pool: "a pointer",
};

/** What a pointer points to: an object of a type, or an object at an address. */
export type Target =
  | { readonly kind: "object"; readonly type: CAggregate; readonly offset: number }
  | { readonly kind: "address"; readonly address: number };

interface Access {
  readonly offset: number;
  readonly node: number;
}

export class FlowGraph {
  readonly kind: NodeKind[] = [];
  readonly label: string[] = [];
  /** Functions (entry addresses, low 32 bits) that the node can hold. */
  readonly functions: (Set<number> | null)[] = [];
  /** The members, variables and parameters that what it holds comes out of. */
  readonly origins: (number[] | null)[] = [];
  /** Address of a variable, table or function; with an argument's number, address * 8 + number. 0 for other nodes. */
  readonly #at: number[] = [];
  /** Something that could not be followed is assigned to it as well. */
  readonly unknown: boolean[] = [];
  /** Declared type of a member, as far as it has one. */
  readonly type: (CType | null)[] = [];
  readonly #targets: (Set<number> | null)[] = [];
  readonly #edges: (number[] | null)[] = [];
  readonly #loads: (Access[] | null)[] = [];
  readonly #stores: (Access[] | null)[] = [];
  readonly #wide: boolean[] = [];
  readonly #crowded: boolean[] = [];
  readonly #members = new Map<string, number>();
  readonly #globals = new Map<number, number>();
  readonly #tables = new Map<number, number>();
  readonly #parameters = new Map<number, number>();
  readonly #results = new Map<number, number>();
  readonly #pools = new Map<string, number>();
  readonly #loadNodes = new Map<number, number>();
  readonly #targetList: Target[] = [];
  readonly #targetIds = new Map<CAggregate | number, Map<number, number>>();
  readonly #places: StructPlaces;
  readonly #work: number[] = [];
  readonly #queued: boolean[] = [];
  /** Told of every address that turns out to be pointed to by something of a declared type. */
  onTypedAddress: (address: number, type: CType) => void = () => {};
  /** Number of the prototype that a pointer type calls; -1 for others. */
  prototypeOf: (type: CType) => number = () => -1;
  /** Can a place of a declared type hold a function? One whose prototype is known only if it fits. */
  mayHold: (type: CType, entry: number) => boolean = () => true;
  /** A variable, table, parameter or result by name, for people. */
  nameOf: (kind: NodeKind, at: number) => string = (kind) => KIND_NAMES[kind];
  /** Told of every word of memory that becomes a node. */
  onGlobal: (node: number, address: number) => void = () => {};

  constructor(places: StructPlaces) {
    this.#places = places;
  }

  get count(): number {
    return this.kind.length;
  }

  #make(kind: NodeKind, label: string, type: CType | null): number {
    const node = this.kind.length;
    this.kind.push(kind);
    this.label.push(label);
    this.type.push(type);
    this.functions.push(null);
    this.origins.push(null);
    this.#at.push(0);
    this.unknown.push(false);
    this.#targets.push(null);
    this.#edges.push(null);
    this.#loads.push(null);
    this.#stores.push(null);
    this.#wide.push(false);
    this.#crowded.push(false);
    this.#queued.push(false);
    return node;
  }

  member(place: Place): number {
    let node = this.#members.get(place.key);
    if (node === undefined) {
      node = this.#make("member", place.label, place.type);
      this.#members.set(place.key, node);
      const pointee = this.#places.pointee(place.type);
      if (pointee !== null) this.addObject(node, pointee, 0);
      if (this.prototypeOf(place.type) >= 0) this.#addOrigin(node, node);
    }
    return node;
  }

  /** The word at an address. */
  global(address: number): number {
    const known = this.#globals.get(address);
    if (known !== undefined) return known;
    const node = this.#kept(this.#globals, address, "global");
    this.onGlobal(node, address);
    return node;
  }

  /** A word of memory lies at these members of an object; true where that was news and told something. */
  declare(node: number, places: readonly Place[]): boolean {
    if (this.type[node] !== null) return false;
    const pointees = new Set(places.map((place) => this.#places.pointee(place.type)));
    const prototypes = new Set(places.map((place) => this.prototypeOf(place.type)));
    const place = places[0];
    if (place === undefined || pointees.size > 1 || prototypes.size > 1) return false;
    const pointee = this.#places.pointee(place.type);
    if (pointee === null && this.prototypeOf(place.type) < 0) return false;
    // A list's head: what lies behind it is told by who was put there, not by its type.
    if (pointee !== null && LINKS.has(pointee.name)) return false;
    this.type[node] = place.type;
    if (pointee !== null) this.addObject(node, pointee, 0);
    // Whoever fills it was not seen: it holds what is in that member elsewhere.
    else if (this.functions[node] == null) this.edge(this.member(place), node);
    this.#enqueue(node);
    return true;
  }

  globals(): Iterable<readonly [number, number]> {
    return this.#globals;
  }

  /** Any word of the object at an address. */
  table(address: number): number {
    return this.#kept(this.#tables, address, "table");
  }

  tables(): Iterable<readonly [number, number]> {
    return this.#tables;
  }

  /** Argument register `index` (0: rdi) of the function at an address. */
  parameter(entry: number, index: number): number {
    return this.#kept(this.#parameters, entry * 8 + index, "parameter");
  }

  /** What the function at an address returns. */
  result(entry: number): number {
    return this.#kept(this.#results, entry, "result");
  }

  local(): number {
    return this.#make("local", "", null);
  }

  /** A node by name. */
  pool(name: string): number {
    let node = this.#pools.get(name);
    if (node === undefined) {
      node = this.#make("pool", name, null);
      this.#pools.set(name, node);
    }
    return node;
  }

  /** What lies `offset` bytes behind where `node` points. */
  load(node: number, offset: number): number {
    const key = node * 0x100000 + (offset & 0xfffff);
    let result = this.#loadNodes.get(key);
    if (result === undefined) {
      result = this.#make("load", "", null);
      this.#loadNodes.set(key, result);
      const loads = this.#loads[node];
      if (loads == null) this.#loads[node] = [{ offset, node: result }];
      else loads.push({ offset, node: result });
      this.#enqueue(node);
    }
    return result;
  }

  /** `source` is stored `offset` bytes behind where `node` points. */
  store(node: number, offset: number, source: number): void {
    const stores = this.#stores[node];
    if (stores == null) this.#stores[node] = [{ offset, node: source }];
    else if (stores.some((one) => one.offset === offset && one.node === source)) return;
    else stores.push({ offset, node: source });
    this.#enqueue(node);
  }

  edge(from: number, to: number): void {
    if (from === to) return;
    const edges = this.#edges[from];
    if (edges == null) this.#edges[from] = [to];
    else if (edges.includes(to)) return;
    else edges.push(to);
    this.#enqueue(from);
  }

  addFunction(node: number, entry: number): void {
    if (this.#crowded[node]) return;
    const declared = this.type[node];
    if (declared != null && !this.mayHold(declared, entry)) return;
    const known = this.functions[node];
    if (known != null && known.size >= MOST_FUNCTIONS && (declared == null || this.prototypeOf(declared) < 0)) {
      // `void *` and the like: it can be anything.
      this.#crowded[node] = true;
      known.clear();
      this.addUnknown(node);
      return;
    }
    if (known == null) this.functions[node] = new Set([entry]);
    else if (known.has(entry)) return;
    else known.add(entry);
    this.#enqueue(node);
  }

  #addOrigin(node: number, origin: number): void {
    const known = this.origins[node];
    if (known == null) this.origins[node] = [origin];
    else if (known.length >= MOST_ORIGINS || known.includes(origin)) return;
    else known.push(origin);
    this.#enqueue(node);
  }

  /** Prototypes that the members say which the node's functions come out of; empty where that cannot be told. */
  prototypes(node: number): number[] {
    const origins = this.origins[node];
    if (origins == null || origins.length >= MOST_ORIGINS) return [];
    const found = origins.map((origin) => {
      const type = this.type[origin];
      return type == null ? -1 : this.prototypeOf(type);
    });
    return found.includes(-1) ? [] : [...new Set(found)];
  }

  /** For people: "file_operations.write_iter", "pv_ops+0x28". */
  describe(node: number): string {
    const origins = this.origins[node] ?? [];
    const names = new Set((origins.length === 0 ? [node] : origins).map((origin) => this.#name(origin)));
    return [...names].join(" | ");
  }

  #name(node: number): string {
    return this.label[node] || this.nameOf(this.kind[node]!, this.#at[node]!);
  }

  addUnknown(node: number): void {
    if (this.unknown[node]) return;
    this.unknown[node] = true;
    this.#enqueue(node);
  }

  addObject(node: number, type: CAggregate, offset: number): void {
    this.#addTarget(
      node,
      this.#targetId(type, offset, () => ({ kind: "object", type, offset })),
    );
  }

  addAddress(node: number, address: number): void {
    this.#addTarget(
      node,
      this.#targetId(address, 0, () => ({ kind: "address", address })),
    );
  }

  /** What the node points to; empty where that is not known, or too much. */
  targets(node: number): readonly Target[] {
    const ids = this.#targets[node];
    return ids == null || this.#wide[node] ? [] : [...ids].map((id) => this.#targetList[id]!);
  }

  #kept(map: Map<number, number>, key: number, kind: NodeKind): number {
    let node = map.get(key);
    if (node === undefined) {
      node = this.#make(kind, "", null);
      map.set(key, node);
      this.#at[node] = key;
      this.origins[node] = [node];
    }
    return node;
  }

  #targetId(what: CAggregate | number, offset: number, make: () => Target): number {
    let byOffset = this.#targetIds.get(what);
    if (byOffset === undefined) {
      byOffset = new Map();
      this.#targetIds.set(what, byOffset);
    }
    let id = byOffset.get(offset);
    if (id === undefined) {
      id = this.#targetList.length;
      this.#targetList.push(make());
      byOffset.set(offset, id);
    }
    return id;
  }

  #addTarget(node: number, target: number): void {
    if (this.#wide[node]) return;
    const known = this.#targets[node];
    if (known == null) this.#targets[node] = new Set([target]);
    else if (known.has(target)) return;
    else {
      known.add(target);
      if (known.size > MOST_TARGETS) {
        // Too many to follow; a declared type still says what the object is.
        this.#wide[node] = true;
        const declared = this.type[node];
        const pointee = declared == null ? null : this.#places.pointee(declared);
        known.clear();
        if (pointee !== null) {
          this.#wide[node] = false;
          known.add(this.#targetId(pointee, 0, () => ({ kind: "object", type: pointee, offset: 0 })));
        }
      }
    }
    const declared = this.type[node];
    const found = this.#targetList[target]!;
    if (declared != null && found.kind === "address") this.onTypedAddress(found.address, declared);
    this.#enqueue(node);
  }

  #enqueue(node: number): void {
    if (this.#queued[node]) return;
    this.#queued[node] = true;
    this.#work.push(node);
  }

  /** Gives back what lists keep for growing: most have few elements, and grow no more once the code has been seen. */
  compact(): void {
    for (const lists of [this.#edges, this.#loads, this.#stores]) {
      for (let node = 0; node < lists.length; node++) {
        const list = lists[node];
        if (list != null && list.length > 1) lists[node] = list.slice() as number[] & Access[];
      }
    }
  }

  /** Lets everything flow until nothing changes. */
  solve(): void {
    for (let node = this.#work.pop(); node !== undefined; node = this.#work.pop()) {
      this.#queued[node] = false;
      this.#accesses(node);
      const edges = this.#edges[node];
      if (edges == null) continue;
      for (const to of edges) this.#flow(node, to);
    }
  }

  #accesses(node: number): void {
    const loads = this.#loads[node];
    const stores = this.#stores[node];
    if (loads == null && stores == null) return;
    // What it can point to was not all seen: neither was what lies there.
    if (this.#wide[node] || this.unknown[node]) for (const load of loads ?? []) this.addUnknown(load.node);
    if (this.#wide[node]) return;
    for (const id of this.#targets[node] ?? []) {
      const target = this.#targetList[id]!;
      for (const { offset, node: other } of loads ?? []) {
        for (const place of this.nodesAt(target, offset)) this.edge(place, other);
      }
      for (const { offset, node: other } of stores ?? []) {
        for (const place of this.nodesAt(target, offset)) this.edge(other, place);
      }
    }
  }

  /** The nodes of what lies `offset` bytes behind a target. */
  nodesAt(target: Target, offset: number): number[] {
    if (target.kind === "address") return [this.global(target.address + offset)];
    return this.#places.at(target.type, target.offset + offset).map((place) => this.member(place));
  }

  #flow(from: number, to: number): void {
    if (this.unknown[from]) this.addUnknown(to);
    // A member of a known type is where things come out of, whatever went in.
    if (this.kind[to] === "local" || this.kind[to] === "load") {
      for (const origin of this.origins[from] ?? []) this.#addOrigin(to, origin);
    }
    for (const entry of this.functions[from] ?? []) this.addFunction(to, entry);
    if (this.#wide[from]) return;
    // A member of a declared pointer type holds such pointers and no others, whatever was cast.
    const declared = this.type[to];
    const typed = declared != null && this.#places.pointee(declared) !== null;
    for (const id of this.#targets[from] ?? []) {
      const target = this.#targetList[id]!;
      if (!typed) this.#addTarget(to, id);
      else if (target.kind === "address") this.onTypedAddress(target.address, declared);
    }
  }
}
