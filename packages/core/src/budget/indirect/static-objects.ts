/**
 * Objects in static data: what type each is of, and so which member each function in it was assigned to. BTF has no types for
 * ordinary global variables; they follow from how the objects are used. Code passes their addresses to typed parameters and
 * stores them in typed members, and objects of a known type point to others.
 */
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import { firstAfter, firstNotBefore } from "../sorted.ts";
import type { DataWords } from "./data-words.ts";
import type { FlowGraph } from "./flow-graph.ts";
import type { KnownFunctions } from "./known-functions.ts";
import type { CodeMember, Place, StructPlaces } from "./struct-places.ts";

/** A symbol's extent, low 32 bits. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** An object is of one type, its first member of another; more are mistaken. */
const MOST_TYPES = 4;
/** Padding between objects is less. Bytes. */
const ALIGNMENT = 64;

export class StaticObjects {
  readonly #words: DataWords;
  readonly #graph: FlowGraph;
  readonly #structs: StructPlaces;
  readonly #functions: KnownFunctions;
  readonly #extent: (address: number) => Extent | null;
  readonly #types = new Map<number, CAggregate[]>();
  readonly #work: { readonly address: number; readonly type: CAggregate }[] = [];
  /** Addresses of the objects, ascending, and the largest size; null until they are asked for. */
  #starts: Int32Array | null = null;
  #largest = 0;
  readonly #cells = new Set<string>();
  /** By where an object begins: nodes that stand for any of its words. */
  readonly #tables = new Map<number, number[]>();
  /** Words (by their number) with a function whose member is known. */
  readonly homed: Uint8Array;

  constructor(
    words: DataWords,
    graph: FlowGraph,
    structs: StructPlaces,
    functions: KnownFunctions,
    extent: (address: number) => Extent | null,
  ) {
    this.#words = words;
    this.#graph = graph;
    this.#structs = structs;
    this.#functions = functions;
    this.#extent = extent;
    this.homed = new Uint8Array(words.place.length);
  }

  /** Objects by address, with all types they are known to have. */
  get types(): ReadonlyMap<number, readonly CAggregate[]> {
    return this.#types;
  }

  /** The members of objects of known types that lie at an address. */
  placesAt(address: number): Place[] {
    if (this.#starts === null) {
      this.#starts = Int32Array.from(this.#types.keys()).sort();
      this.#largest = Math.max(0, ...[...this.#types.values()].flatMap((types) => types.map(({ size }) => size)));
    }
    const found: Place[] = [];
    const { start } = this.#extent(address) ?? { start: address };
    for (let n = firstAfter(this.#starts, address) - 1; n >= 0; n--) {
      const from = this.#starts[n]!;
      if (from < start || address - from >= this.#largest) break;
      for (const type of this.#types.get(from)!) found.push(...this.#structs.at(type, address - from));
    }
    return found;
  }

  /**
   * An object of that type begins at the address. Believed only if the object has room there and its pointers stand where the
   * type has members for them: casts and unions say many things, and one wrong type leads to more.
   */
  add(address: number, type: CAggregate): void {
    const known = this.#types.get(address);
    if (known !== undefined && (known.length >= MOST_TYPES || known.includes(type))) return;
    const extent = this.#extent(address);
    if (extent === null || !this.#believable(address, type, true, extent, this.#wordFrom(address))) return;
    if (known === undefined) this.#types.set(address, [type]);
    else known.push(type);
    this.#starts = null;
    this.#work.push({ address, type });
  }

  /**
   * @param isUsed code uses it as one: more is to be believed than of a guess
   * @param extent of the symbol that has the address
   * @param first number of the first word from there on
   */
  #believable(address: number, type: CAggregate, isUsed: boolean, extent: Extent, first: number): boolean {
    if (type.size === 0 || address + type.size > extent.end) return false;
    const { place, target } = this.#words;
    const end = address + type.size;
    const misfits: number[] = [];
    let fitting = 0;
    for (let index = first; index < place.length && place[index]! < end; index++) {
      if (this.#fits(index, type, place[index]! - address)) fitting++;
      else if (isUsed && this.#isCodeMember(index, type, place[index]! - address)) misfits.push(target[index]!);
      else return false;
    }
    if (misfits.length === 0) return true;
    // The object is all that its symbol stands for, and the rest of it fits: then it is the record that is another function's.
    const isWhole = extent.start === address && extent.end - end < ALIGNMENT;
    return isWhole && fitting > 0 && this.#functions.doubt(misfits);
  }

  /**
   * Functions in objects of no known type: each is given to every member of its prototype whose struct could lie there, by
   * the pointers around it. (Tables that only an initialiser knows of: in sections, in arrays that code walks through.)
   * @param candidates the members that can hold a function, by its entry
   */
  placeByContent(candidates: (entry: number) => readonly CodeMember[]): void {
    const { place, target } = this.#words;
    for (let index = 0; index < place.length; index++) {
      if (this.homed[index] === 1 || !this.#isFunction(target[index]!)) continue;
      const extent = this.#extent(place[index]!);
      if (extent === null) continue;
      for (const { owner, offset } of candidates(target[index]!)) {
        const address = place[index]! - offset;
        if (address < extent.start || address + owner.size > extent.end) continue;
        let first = index;
        while (first > 0 && place[first - 1]! >= address) first--;
        if (this.#believable(address, owner, false, extent, first)) this.#member(index, owner, offset);
      }
    }
  }

  /** What a word of memory holds at first, for the node that stands for it; whoever reads any word of that object may read it. */
  fill(node: number, address: number): void {
    this.#linkTables(node, address);
    const index = this.#wordFrom(address);
    if (this.#words.place[index] !== address) return;
    const target = this.#words.target[index]!;
    if (this.#isFunction(target)) this.#graph.addFunction(node, target);
    else if (this.#isEmptyList(address)) this.#joinEnds(address);
    else if (!this.#isEmptyList(address - 8)) this.#graph.addAddress(node, target);
  }

  /** Does a list's head stand there (LIST_HEAD_INIT, include/linux/list.h): two pointers to itself? */
  #isEmptyList(address: number): boolean {
    const { place, target } = this.#words;
    const index = this.#wordFrom(address);
    return (
      place[index] === address &&
      target[index] === address &&
      place[index + 1] === address + 8 &&
      target[index + 1] === address
    );
  }

  /** Whoever is put in at a list's end is found from its beginning, and the other way round. */
  #joinEnds(head: number): void {
    const [first, last] = [this.#graph.global(head), this.#graph.global(head + 8)];
    this.#graph.edge(first, last);
    this.#graph.edge(last, first);
  }

  /** All that the objects at these addresses hold, for nodes that stand for any of their words: at first, and what comes later. */
  fillTables(tables: Iterable<readonly [number, number]>): void {
    for (const [address, node] of tables) {
      const extent = this.#extent(address);
      if (extent === null) continue;
      const known = this.#tables.get(extent.start);
      if (known === undefined) this.#tables.set(extent.start, [node]);
      else known.push(node);
      this.#fillTable(node, extent);
    }
    for (const [address, node] of this.#graph.globals()) this.#linkTables(node, address);
  }

  #linkTables(node: number, address: number): void {
    if (this.#tables.size === 0) return;
    const extent = this.#extent(address);
    for (const table of extent === null ? [] : (this.#tables.get(extent.start) ?? [])) this.#graph.edge(node, table);
  }

  #fillTable(node: number, extent: Extent): void {
    for (let index = this.#wordFrom(extent.start); index < this.#words.place.length; index++) {
      if (this.#words.place[index]! >= extent.end) break;
      const target = this.#words.target[index]!;
      if (this.#isFunction(target)) this.#graph.addFunction(node, target);
      else this.#graph.addAddress(node, target);
    }
  }

  /** Looks into the objects that became known; returns false where there were none. */
  settle(): boolean {
    if (this.#work.length === 0) return false;
    for (let object = this.#work.pop(); object !== undefined; object = this.#work.pop()) {
      const { address, type } = object;
      const extent = this.#extent(address);
      const size = type.size;
      if (size === 0) continue;
      this.#look(address, type);
      // An address that a symbol has may be an array's; what lies behind the first element has to look like more of them.
      if (extent === null || extent.start !== address || (extent.end - address) % size >= ALIGNMENT) continue;
      this.#array(address, type, extent.end);
    }
    return true;
  }

  #look(address: number, type: CAggregate): void {
    const { place } = this.#words;
    const end = address + type.size;
    for (let index = this.#wordFrom(address); index < place.length && place[index]! < end; index++) {
      this.#member(index, type, place[index]! - address);
    }
  }

  /** The elements behind the first, up to the first that holds what the type cannot. */
  #array(address: number, type: CAggregate, end: number): void {
    const { place } = this.#words;
    const { size } = type;
    let first = this.#wordFrom(address + size);
    while (first < place.length && place[first]! < end) {
      const element = address + Math.floor((place[first]! - address) / size) * size;
      let last = first;
      for (; last < place.length && place[last]! < element + size; last++) {
        if (!this.#fits(last, type, place[last]! - element)) return;
      }
      for (; first < last; first++) this.#member(first, type, place[first]! - element);
    }
  }

  #member(index: number, type: CAggregate, offset: number): void {
    for (const found of this.#structs.at(type, offset)) {
      this.#word(index, this.#words.target[index]!, found.type, () => this.#graph.member(found));
    }
  }

  /** Stands a function there, and is the member a pointer to one? */
  #isCodeMember(index: number, type: CAggregate, offset: number): boolean {
    const places = this.#isFunction(this.#words.target[index]!) ? this.#structs.at(type, offset) : [];
    return places.length === 1 && this.#graph.prototypeOf(places[0]!.type) >= 0;
  }

  /** Can the member at an offset hold the pointer that stands there? */
  #fits(index: number, type: CAggregate, offset: number): boolean {
    const target = this.#words.target[index]!;
    const isFunction = this.#isFunction(target);
    return this.#structs.at(type, offset).some((found) => {
      const member = stripTypedefs(found.type);
      if (isFunction) return this.#graph.mayHold(member, target);
      if (member.kind === "pointer") return stripTypedefs(member.target).kind !== "function";
      // Several members of a union: of no type of its own.
      return member.kind === "void" || ("size" in member && member.size === 8);
    });
  }

  #word(index: number, target: number, declared: CType, node: () => number): void {
    const type = stripTypedefs(declared);
    if (this.#isFunction(target)) {
      if (!this.#graph.mayHold(type, target)) return;
      this.homed[index] = 1;
      this.#graph.addFunction(node(), target);
      return;
    }
    const pointee = this.#structs.pointee(type);
    if (pointee !== null) this.add(target, pointee);
    if (pointee !== null || type.kind !== "pointer") return;
    const cell = stripTypedefs(type.target);
    if (cell.kind === "pointer") this.#cell(target, type.target);
    else if (cell.kind === "void") this.#graph.addAddress(node(), target);
  }

  /** An array of pointers of a declared type. */
  #cell(address: number, type: CType): void {
    const pointee = this.#structs.pointee(type);
    if (pointee === null) return;
    const key = `${address} ${pointee.name}`;
    if (this.#cells.has(key)) return;
    this.#cells.add(key);
    const extent = this.#extent(address);
    const { place, target } = this.#words;
    // Pointers stand side by side; the list ends with a null.
    let index = this.#wordFrom(address);
    for (let at = address; place[index] === at && (extent === null || at < extent.end); at += 8, index++) {
      if (!this.#isFunction(target[index]!)) this.add(target[index]!, pointee);
    }
  }

  #isFunction(address: number): boolean {
    return this.#functions.at(address) !== undefined;
  }

  /** Number of the first word at or behind an address. */
  #wordFrom(address: number): number {
    return firstNotBefore(this.#words.place, address);
  }
}
