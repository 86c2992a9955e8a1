/**
 * How function pointers and the pointers that lead to them move between places of a program: a graph of nodes (members of
 * structs, global variables, parameters, results), solved for what each can hold. Field-based, in the manner of Heintze and
 * Tardieu (PLDI 2001) and of multi-layer type analysis (Lu and Hu, CCS 2019): all objects of a struct share one node for
 * each member, and order in time plays no part.
 *
 * What a node holds goes along each of its edges once: a later visit hands on only what is new since (semi-naive evaluation).
 */

import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import { longer } from "../growing.ts";
import { Accesses } from "./accesses.ts";
import { ANY, FlowNodes, type NodeKind, RESULT } from "./flow-nodes.ts";
import { FunctionSets, NO_FUNCTIONS } from "./function-sets.ts";
import { LINKS } from "./links.ts";
import { NumberLists } from "./number-lists.ts";
import { PairTable } from "./pair-table.ts";
import type { Place, StructPlaces } from "./struct-places.ts";

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

/** What is true of a node; bits. */
const IS = {
  /** Something that could not be followed is assigned to it as well. */
  UNKNOWN: 1,
  /** It points to too many things. */
  WIDE: 2,
  /** It holds too many functions. */
  CROWDED: 4,
  QUEUED: 8,
  /** It is declared as a pointer to a struct. */
  STRUCT_POINTER: 16,
  /** The same, but that was found out late. */
  LATE: 32,
  /** That it is unknown has been handed on. */
  TOLD_UNKNOWN: 64,
  /** Something is loaded or stored through it. */
  ACCESSED: 128,
  /** It has edges. */
  SOURCE: 256,
} as const;

/** What is kept of each node, side by side: who visits a node asks for most of it. */
const FLAGS = 0;
const TAKES = 1;
/** Functions (entry addresses, low 32 bits) that it can hold: a set of `sets`. */
const FUNCTIONS = 2;
/** How far it has been handed on: the functions, and the last element of each list. */
const TOLD_FUNCTIONS = 3;
const TOLD_ORIGIN = 4;
const TOLD_TARGET = 5;
const TOLD_EDGE = 6;
const WIDTH = 8;

/** What a node takes of functions, by its declared type: all, none, or those that fit a prototype (one more than its number). */
const TAKES_ALL = 0;
const TAKES_NONE = -1;

/** What a pointer points to: an object of a type, or an object at an address. */
export type Target =
  | { readonly kind: "object"; readonly type: CAggregate; readonly offset: number }
  | { readonly kind: "address"; readonly address: number };

export class FlowGraph {
  readonly #nodes = new FlowNodes();
  /** WIDTH numbers of each node. */
  #state = new Int32Array(WIDTH << 12);
  /** Declared types of members, and of variables as far as they are known. */
  readonly #types: (CType | undefined)[] = [];
  readonly sets = new FunctionSets();
  /** The members, variables and parameters that what it holds comes out of; of values, others come out of themselves. */
  readonly #origins = new NumberLists();
  /** Numbers of what it points to. */
  readonly #targets = new NumberLists();
  readonly #edges = new NumberLists();
  readonly #edgeNumbers = new PairTable();
  readonly #loads = new Accesses();
  readonly #stores = new Accesses();
  /** Of sets, those that a prototype lets pass. */
  readonly #fitting = new PairTable();
  readonly #targetList: Target[] = [];
  readonly #addressTargets = new Map<number, number>();
  readonly #objectTargets = new Map<CAggregate, Map<number, number>>();
  /** By the number of a target and the distance from there: which of the lists of nodes lies there. */
  readonly #nodesBehind = new PairTable();
  readonly #nodeLists: (readonly number[])[] = [];
  /** What places of a declared type take. */
  readonly #takingOf = new Map<CType, number>();
  readonly #places: StructPlaces;
  readonly #work: number[] = [];
  /** Are there nodes that are LATE? */
  #anyLate = false;
  /** Told of every address that turns out to be pointed to by something of a declared type. */
  onTypedAddress: (address: number, type: CType) => void = () => {};
  /** Number of the prototype that a pointer type calls; -1 for others. */
  prototypeOf: (type: CType) => number = () => -1;
  /** Is it known for certain of which prototype a function is? */
  isSure: (entry: number) => boolean = () => false;
  /** May a pointer of a prototype call a function, of whatever prototype where that is not certain? */
  fits: (prototype: number, entry: number) => boolean = () => true;
  /** A variable, table, parameter (with the number of its register) or result by name, for people. */
  nameOf: (kind: NodeKind, address: number, argument: number) => string = (kind) => KIND_NAMES[kind];
  /** Told of every word of memory that becomes a node. */
  onGlobal: (node: number, address: number) => void = () => {};

  constructor(places: StructPlaces) {
    this.#places = places;
  }

  get count(): number {
    return this.#nodes.count;
  }

  /** Makes room for a node that was added. */
  #grown(node: number): number {
    if (node * WIDTH >= this.#state.length) this.#state = longer(this.#state, (node + 1) * WIDTH);
    return node;
  }

  member(place: Place): number {
    let node = this.#nodes.members.get(place.key);
    if (node === undefined) {
      node = this.#grown(this.#nodes.addNamed("member", place.key, place.label));
      this.#declare(node, place.type);
      const pointee = this.#places.pointee(place.type);
      if (pointee !== null) this.addObject(node, pointee, 0);
      if (this.#state[node * WIDTH + TAKES]! > 0) this.#enqueue(node);
    }
    return node;
  }

  #declare(node: number, type: CType): void {
    while (this.#types.length <= node) this.#types.push(undefined);
    this.#types[node] = type;
    this.#state[node * WIDTH + TAKES] = this.#taking(type);
    if (this.#places.pointee(type) !== null) this.#state[node * WIDTH + FLAGS]! |= IS.STRUCT_POINTER;
  }

  #taking(declared: CType): number {
    let takes = this.#takingOf.get(declared);
    if (takes === undefined) {
      const prototype = this.prototypeOf(declared);
      takes = prototype >= 0 ? prototype + 1 : holdsAny(declared) ? TAKES_ALL : TAKES_NONE;
      this.#takingOf.set(declared, takes);
    }
    return takes;
  }

  /** Can a place of a declared type hold a function? One whose prototype is known only if it fits. */
  mayHold(declared: CType, entry: number): boolean {
    const takes = this.#taking(declared);
    return takes > 0 ? !this.isSure(entry) || this.fits(takes - 1, entry) : takes === TAKES_ALL;
  }

  /** The word at an address. */
  global(address: number): number {
    const known = this.#nodes.globals.get(address);
    if (known !== undefined) return known;
    const node = this.#grown(this.#nodes.addAt("global", address));
    this.onGlobal(node, address);
    return node;
  }

  /** Is it known at which member of an object a word of memory lies? */
  isDeclared(node: number): boolean {
    return this.#types[node] !== undefined;
  }

  /** A word of memory lies at these members of an object; true where that was news and told something. */
  declare(node: number, places: readonly Place[]): boolean {
    const place = places[0];
    if (place === undefined || this.isDeclared(node)) return false;
    const pointees = new Set(places.map(({ type }) => this.#places.pointee(type)));
    const prototypes = new Set(places.map(({ type }) => this.prototypeOf(type)));
    if (pointees.size > 1 || prototypes.size > 1) return false;
    const pointee = this.#places.pointee(place.type);
    if (pointee === null && this.prototypeOf(place.type) < 0) return false;
    // A list's head: what lies behind it is told by who was put there, not by its type.
    if (pointee !== null && LINKS.has(pointee.name)) return false;
    this.#declare(node, place.type);
    if (pointee !== null) {
      this.#state[node * WIDTH + FLAGS]! |= IS.LATE;
      this.#anyLate = true;
      this.addObject(node, pointee, 0);
    }
    // Whoever fills it was not seen: it holds what is in that member elsewhere.
    else if (this.#state[node * WIDTH + FUNCTIONS] === NO_FUNCTIONS && !this.#is(node, IS.CROWDED))
      this.edge(this.member(place), node);
    this.#enqueue(node);
    return true;
  }

  globals(): Iterable<readonly [number, number]> {
    return this.#nodes.globals;
  }

  /** Members of structs, and tables. */
  *slots(): Generator<number> {
    yield* this.#nodes.members.values();
    yield* this.#nodes.tables.values();
  }

  /** Any word of the object at an address. */
  table(address: number): number {
    return this.#nodes.tables.get(address) ?? this.#grown(this.#nodes.addAt("table", address));
  }

  tables(): Iterable<readonly [number, number]> {
    return this.#nodes.tables;
  }

  /** Argument register `index` (0: rdi) of the function at an address. */
  parameter(entry: number, index: number): number {
    return this.#grown(this.#nodes.ofFunction(entry, index));
  }

  /** What the function at an address returns. */
  result(entry: number): number {
    return this.#grown(this.#nodes.ofFunction(entry, RESULT));
  }

  /** Argument register `index` of whatever is called by pointers of a prototype. */
  argumentOf(prototype: number, index: number): number {
    return this.#grown(this.#nodes.ofPrototype(prototype, index));
  }

  /** What that returns. */
  resultOf(prototype: number): number {
    return this.#grown(this.#nodes.ofPrototype(prototype, RESULT));
  }

  /** A pointer of a prototype that comes from nowhere known. */
  anyOf(prototype: number): number {
    const node = this.#grown(this.#nodes.ofPrototype(prototype, ANY));
    this.addUnknown(node);
    return node;
  }

  local(): number {
    return this.#grown(this.#nodes.add("local"));
  }

  /** A node by name. */
  pool(name: string): number {
    return this.#nodes.pools.get(name) ?? this.#grown(this.#nodes.addNamed("pool", name, name));
  }

  /** What lies `offset` bytes behind where `node` points. */
  load(node: number, offset: number): number {
    const known = this.#loads.nodeAt(node, offset);
    if (known >= 0) return known;
    const result = this.#grown(this.#nodes.add("load"));
    this.#loads.add(node, offset, result);
    this.#state[node * WIDTH + FLAGS]! |= IS.ACCESSED;
    this.#enqueue(node);
    return result;
  }

  /** `source` is stored `offset` bytes behind where `node` points. */
  store(node: number, offset: number, source: number): void {
    if (!this.#stores.add(node, offset, source)) return;
    this.#state[node * WIDTH + FLAGS]! |= IS.ACCESSED;
    this.#enqueue(node);
  }

  edge(from: number, to: number): void {
    if (from === to || !this.#edgeNumbers.add(from, to, 0)) return;
    this.#edges.append(from, to);
    this.#state[from * WIDTH + FLAGS]! |= IS.SOURCE;
    this.#enqueue(from);
  }

  addFunction(node: number, entry: number): void {
    const takes = this.#state[node * WIDTH + TAKES]!;
    if (takes === TAKES_NONE || (takes > 0 && !this.fits(takes - 1, entry))) return;
    if (!this.#is(node, IS.CROWDED)) this.#hold(node, this.sets.with(this.#state[node * WIDTH + FUNCTIONS]!, entry));
  }

  /** A node comes to hold all functions of a set, which has some. */
  #addFunctions(node: number, set: number): void {
    const takes = this.#state[node * WIDTH + TAKES]!;
    if (takes === TAKES_NONE || this.#is(node, IS.CROWDED)) return;
    const taken = takes > 0 ? this.#thatFit(set, takes - 1) : set;
    this.#hold(node, this.sets.join(this.#state[node * WIDTH + FUNCTIONS]!, taken));
  }

  /** @param set all that it held before, and what is new */
  #hold(node: number, set: number): void {
    const before = this.#state[node * WIDTH + FUNCTIONS]!;
    if (set === before) return;
    if (this.sets.size(set) <= MOST_FUNCTIONS || this.#state[node * WIDTH + TAKES]! > 0) {
      this.#state[node * WIDTH + FUNCTIONS] = set;
      this.#enqueue(node);
      return;
    }
    // `void *` and the like: it can be anything.
    this.#state[node * WIDTH + FUNCTIONS] = NO_FUNCTIONS;
    this.#state[node * WIDTH + FLAGS]! |= IS.CROWDED;
    this.addUnknown(node);
    if (this.sets.size(before) < MOST_FUNCTIONS) this.#enqueue(node);
  }

  /** The functions of a set that pointers of a prototype may call. */
  #thatFit(set: number, prototype: number): number {
    let fitting = this.#fitting.get(set, prototype);
    if (fitting < 0) {
      fitting = this.sets.where(set, (entry) => this.fits(prototype, entry));
      this.#fitting.set(set, prototype, fitting);
    }
    return fitting;
  }

  /** Number of the set of functions (see `sets`) that a node can hold. */
  functionsOf(node: number): number {
    return this.#state[node * WIDTH + FUNCTIONS]!;
  }

  /** Can it hold something as well that could not be followed? */
  isUnknown(node: number): boolean {
    return this.#is(node, IS.UNKNOWN);
  }

  isMember(node: number): boolean {
    return this.#nodes.isMember(node);
  }

  #addOrigin(node: number, origin: number): void {
    const before = this.#origins.countWithout(node, origin);
    if (before < 0 || before >= MOST_ORIGINS) return;
    this.#origins.append(node, origin);
    this.#enqueue(node);
  }

  /** The places that what a node holds comes out of; none where that cannot be told. */
  #originsOf(node: number): readonly number[] {
    return this.#isOrigin(node) ? [node] : this.#origins.values(node);
  }

  /** Is it a place that things come out of, whatever went in? */
  #isOrigin(node: number): boolean {
    const nodes = this.#nodes;
    if (nodes.isValue(node) || nodes.isPool(node)) return false;
    return !nodes.isMember(node) || this.#state[node * WIDTH + TAKES]! > 0;
  }

  /** Prototypes that the members say which the node's functions come out of; empty where that cannot be told. */
  prototypes(node: number): number[] {
    const origins = this.#originsOf(node);
    if (origins.length >= MOST_ORIGINS) return [];
    const found = new Set<number>();
    for (const origin of origins) {
      const takes = this.#state[origin * WIDTH + TAKES]!;
      if (takes <= 0) return [];
      found.add(takes - 1);
    }
    return [...found];
  }

  /** For people: "file_operations.write_iter", "pv_ops+0x28". */
  describe(node: number): string {
    const origins = this.#originsOf(node);
    const names = new Set((origins.length === 0 ? [node] : origins).map((origin) => this.#name(origin)));
    return [...names].join(" | ");
  }

  #name(node: number): string {
    const nodes = this.#nodes;
    return nodes.name(node) ?? this.nameOf(nodes.kind(node), nodes.address(node), nodes.argument(node));
  }

  addUnknown(node: number): void {
    if (this.#is(node, IS.UNKNOWN)) return;
    this.#state[node * WIDTH + FLAGS]! |= IS.UNKNOWN;
    this.#enqueue(node);
  }

  addObject(node: number, type: CAggregate, offset: number): void {
    this.#addTarget(node, this.#objectTarget(type, offset));
  }

  addAddress(node: number, address: number): void {
    let target = this.#addressTargets.get(address);
    if (target === undefined) {
      target = this.#targetList.push({ kind: "address", address }) - 1;
      this.#addressTargets.set(address, target);
    }
    this.#addTarget(node, target);
  }

  #objectTarget(type: CAggregate, offset: number): number {
    let byOffset = this.#objectTargets.get(type);
    if (byOffset === undefined) {
      byOffset = new Map();
      this.#objectTargets.set(type, byOffset);
    }
    let target = byOffset.get(offset);
    if (target === undefined) {
      target = this.#targetList.push({ kind: "object", type, offset }) - 1;
      byOffset.set(offset, target);
    }
    return target;
  }

  /** What the node points to; empty where that is not known, or too much. */
  targets(node: number): readonly Target[] {
    return this.#targets.values(node).map((target) => this.#targetList[target]!);
  }

  #addTarget(node: number, target: number): void {
    if (this.#is(node, IS.WIDE)) return;
    const before = this.#targets.countWithout(node, target);
    if (before < 0) return;
    this.#targets.append(node, target);
    const declared = this.#types[node];
    if (before >= MOST_TARGETS) {
      // Too many to follow; a declared type still says what the object is.
      this.#targets.clear(node);
      this.#state[node * WIDTH + TOLD_TARGET] = 0;
      const pointee = declared === undefined ? null : this.#places.pointee(declared);
      if (pointee === null) this.#state[node * WIDTH + FLAGS]! |= IS.WIDE;
      else this.#targets.append(node, this.#objectTarget(pointee, 0));
    }
    const found = this.#targetList[target]!;
    if (declared !== undefined && found.kind === "address") this.onTypedAddress(found.address, declared);
    this.#enqueue(node);
  }

  #is(node: number, flag: number): boolean {
    return (this.#state[node * WIDTH + FLAGS]! & flag) !== 0;
  }

  #enqueue(node: number): void {
    if (this.#is(node, IS.QUEUED)) return;
    this.#state[node * WIDTH + FLAGS]! |= IS.QUEUED;
    this.#work.push(node);
  }

  /** Lets everything flow until nothing changes. */
  solve(): void {
    for (let node = this.#work.pop(); node !== undefined; node = this.#work.pop()) {
      this.#state[node * WIDTH + FLAGS]! &= ~IS.QUEUED;
      // From many of them nothing leads on.
      if (!this.#is(node, IS.ACCESSED | IS.SOURCE)) continue;
      if (this.#is(node, IS.ACCESSED)) this.#access(node);
      if (this.#is(node, IS.SOURCE)) this.#handOn(node);
      const state = this.#state;
      const at = node * WIDTH;
      state[at + TOLD_FUNCTIONS] = state[at + FUNCTIONS]!;
      state[at + TOLD_ORIGIN] = this.#origins.last(node);
      state[at + TOLD_TARGET] = this.#targets.last(node);
      state[at + TOLD_EDGE] = this.#edges.last(node);
      if ((state[at + FLAGS]! & IS.UNKNOWN) !== 0) state[at + FLAGS]! |= IS.TOLD_UNKNOWN;
    }
  }

  /** Loads and stores through what a node points to become edges: each of them for each target, once. */
  #access(node: number): void {
    const loads = this.#loads;
    const stores = this.#stores;
    const firstLoad = loads.first(node);
    const firstStore = stores.first(node);
    // What it can point to was not all seen: neither was what lies there.
    if (this.#is(node, IS.WIDE | IS.UNKNOWN)) {
      for (let load = firstLoad; load !== 0; load = loads.next(load)) this.addUnknown(loads.node(load));
    }
    const newLoad = loads.firstNew(node);
    const newStore = stores.firstNew(node);
    const told = this.#state[node * WIDTH + TOLD_TARGET]!;
    let isNew = told === 0;
    for (let at = this.#targets.first(node); at !== 0; at = this.#targets.next(at)) {
      const target = this.#targets.value(at);
      for (let load = isNew ? firstLoad : newLoad; load !== 0; load = loads.next(load)) {
        const places = this.#nodesFrom(target, loads.offset(load));
        for (let n = 0; n < places.length; n++) this.edge(places[n]!, loads.node(load));
      }
      for (let store = isNew ? firstStore : newStore; store !== 0; store = stores.next(store)) {
        const places = this.#nodesFrom(target, stores.offset(store));
        for (let n = 0; n < places.length; n++) this.edge(stores.node(store), places[n]!);
      }
      if (at === told) isNew = true;
    }
    loads.see(node);
    stores.see(node);
  }

  /** The same as `nodesAt` gives for the target of a number, looked up once. */
  #nodesFrom(target: number, offset: number): readonly number[] {
    let list = this.#nodesBehind.get(target, offset);
    if (list < 0) {
      list = this.#nodeLists.push(this.nodesAt(this.#targetList[target]!, offset)) - 1;
      this.#nodesBehind.set(target, offset, list);
    }
    return this.#nodeLists[list]!;
  }

  /** The nodes of what lies `offset` bytes behind a target. */
  nodesAt(target: Target, offset: number): number[] {
    if (target.kind === "address") return [this.global(target.address + offset)];
    return this.#places.at(target.type, target.offset + offset).map((place) => this.member(place));
  }

  /** What a node holds goes along its edges: all of it along those that are new, what is new along the others. */
  #handOn(node: number): void {
    const edges = this.#edges;
    const told = this.#state[node * WIDTH + TOLD_EDGE]!;
    if (told !== 0 && this.#hasNews(node)) {
      const origin = this.#origins.after(node, this.#state[node * WIDTH + TOLD_ORIGIN]!);
      const target = this.#targets.after(node, this.#state[node * WIDTH + TOLD_TARGET]!);
      for (let edge = edges.first(node); edge !== 0; edge = edge === told ? 0 : edges.next(edge)) {
        this.#flow(node, edges.value(edge), origin, target);
      }
    }
    const isOrigin = this.#isOrigin(node);
    const origin = this.#origins.first(node);
    const target = this.#targets.first(node);
    for (let edge = edges.after(node, told); edge !== 0; edge = edges.next(edge)) {
      const to = edges.value(edge);
      if (isOrigin && this.#nodes.isValue(to)) this.#addOrigin(to, node);
      this.#flow(node, to, origin, target);
    }
  }

  /** Is there anything that has not gone along all of its edges? */
  #hasNews(node: number): boolean {
    return (
      this.#state[node * WIDTH + FUNCTIONS] !== this.#state[node * WIDTH + TOLD_FUNCTIONS] ||
      this.#targets.last(node) !== this.#state[node * WIDTH + TOLD_TARGET] ||
      this.#origins.last(node) !== this.#state[node * WIDTH + TOLD_ORIGIN] ||
      (this.#state[node * WIDTH + FLAGS]! & (IS.UNKNOWN | IS.TOLD_UNKNOWN)) === IS.UNKNOWN ||
      // What was declared since may be told of targets again.
      (this.#anyLate && this.#targets.last(node) !== 0)
    );
  }

  /**
   * What a node holds goes to another.
   * @param firstOrigin the first of those that are new; 0 where none is
   * @param firstTarget the same
   */
  #flow(from: number, to: number, firstOrigin: number, firstTarget: number): void {
    if (this.#is(from, IS.UNKNOWN)) this.addUnknown(to);
    // A member of a known type is where things come out of, whatever went in.
    if (firstOrigin !== 0 && this.#nodes.isValue(to)) {
      for (let at = firstOrigin; at !== 0; at = this.#origins.next(at)) this.#addOrigin(to, this.#origins.value(at));
    }
    const functions = this.#state[from * WIDTH + FUNCTIONS]!;
    if (functions !== NO_FUNCTIONS) this.#addFunctions(to, functions);
    const target = this.#anyLate && this.#is(to, IS.LATE) ? this.#targets.first(from) : firstTarget;
    if (target !== 0) this.#flowTargets(to, target);
  }

  #flowTargets(to: number, first: number): void {
    // A member of a declared pointer type holds such pointers and no others, whatever was cast.
    const declared = this.#is(to, IS.STRUCT_POINTER) ? this.#types[to]! : null;
    for (let at = first; at !== 0; at = this.#targets.next(at)) {
      const number = this.#targets.value(at);
      const target = this.#targetList[number]!;
      if (declared === null) this.#addTarget(to, number);
      else if (target.kind === "address") this.onTypedAddress(target.address, declared);
    }
  }
}

/** No pointer, or one to void or to functions of which no more is known: it may hold whatever is put there. */
function holdsAny(declared: CType): boolean {
  const type = stripTypedefs(declared);
  const target = type.kind === "pointer" ? stripTypedefs(type.target).kind : "void";
  return target === "void" || target === "function";
}
