/**
 * The values of one function that are of no known type where they are made: what they come out of, and what they are used as.
 * C's types are not in the code, but an allocation is given those of the parameters, members and results that it goes to.
 */
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { KnownPointer, LoadOrigin } from "./member-search.ts";
import type { ProgramFacts } from "./program-facts.ts";
import type { Place } from "./struct-places.ts";
import { type Atom, KIND, type Value, type Values } from "./values.ts";

/** Loads through pointers of no known type that are followed back. */
const MOST_LOADS = 3;

/** Sources are numbered by the instruction, parameters below them. */
const FIRST_INSTRUCTION = 8;

/** Places of a function of so many instructions that values are made at. */
export function sourcesOf(instructions: number): number {
  return FIRST_INSTRUCTION + instructions;
}

/** A place that a value is made at. */
interface Source {
  readonly source: number;
  /** What comes out of the graph there. */
  readonly nodes: number[];
  /** Pointers that are loaded through there. */
  readonly parents: Atom[];
  /** The node that stands for the value; -1 until it is asked for. */
  node: number;
}

/** A struct, and where it begins from the pointer in question. */
export interface Bound {
  readonly type: CAggregate;
  readonly offset: number;
}

export class MadeValues {
  readonly #facts: ProgramFacts;
  readonly #values: Values;
  /** In the order in which they were met, and by number. */
  readonly #met: Source[] = [];
  #sources: (Source | undefined)[] = [];
  readonly #bounds = new Map<number, Bound[]>();
  /** Offsets that are read behind each value, and those where a pointer is that leads on; once they are asked for. */
  #reads: Map<number, number[]> | null = null;
  readonly #followed = new Map<number, number[]>();
  readonly #outer = new Map<CAggregate, Bound[]>();
  /** Objects on the stack, by the addresses that were used as pointers to structs. */
  readonly stackTypes: Bound[] = [];

  constructor(facts: ProgramFacts, values: Values) {
    this.#facts = facts;
    this.#values = values;
  }

  nextFunction(instructions: number): void {
    const count = sourcesOf(instructions);
    if (count > this.#sources.length) this.#sources = new Array(2 * count).fill(undefined);
    else for (const { source } of this.#met) this.#sources[source] = undefined;
    this.#met.length = 0;
    this.#bounds.clear();
    this.#reads = null;
    this.#followed.clear();
    this.#outer.clear();
    this.stackTypes.length = 0;
  }

  /**
   * A value that an instruction makes (`at`; a parameter: below zero), which comes out of a node or from behind a pointer.
   */
  made(at: number, node: number | null, parent: Atom | null): Value {
    const source = FIRST_INSTRUCTION + at;
    const known = this.#sources[source];
    if (known === undefined) {
      const met: Source = {
        source,
        nodes: node === null ? [] : [node],
        parents: parent === null ? [] : [parent],
        node: -1,
      };
      this.#sources[source] = met;
      this.#met.push(met);
    } else {
      if (node !== null && !known.nodes.includes(node)) known.nodes.push(node);
      if (parent !== null && !known.parents.includes(parent)) known.parents.push(parent);
    }
    return this.#values.made(source, 0);
  }

  /** Once each: an empty list on the stack points to itself. */
  onStack(type: CAggregate, offset: number): void {
    if (this.stackTypes.some((one) => one.type === type && one.offset === offset)) return;
    this.stackTypes.push({ type, offset });
  }

  /** A value is used as a pointer to a struct. */
  use(value: Value, type: CAggregate): void {
    for (const atom of value.atoms) {
      switch (atom.kind) {
        case "made":
          addBound(this.#bounds, atom.source, { type, offset: -atom.offset });
          break;
        case "address":
          if (!atom.anywhere && atom.address < 0) this.#facts.typedAddress(atom.address, type);
          break;
        case "object":
          if (atom.type !== type) addBound(this.#outer, atom.type, { type, offset: -atom.offset });
          break;
        case "stack":
          this.onStack(type, atom.offset);
          break;
      }
    }
  }

  /** Where the pointer was loaded from, so far as that may tell what it is; null where it tells nothing. */
  originsOf(pointer: Value): LoadOrigin[] | null {
    const found: LoadOrigin[] = [];
    for (const atom of pointer.atoms) {
      if (atom.kind === "dead") continue;
      const origins = atom.kind === "made" && atom.offset === 0 ? this.#originsOfMade(atom.source, 0) : null;
      if (origins === null) return null;
      found.push(...origins);
    }
    return found.length === 0 ? null : found;
  }

  #originsOfMade(source: number, depth: number): LoadOrigin[] | null {
    const made = this.#sources[source];
    if (made === undefined || made.nodes.length > 0 || made.parents.length === 0 || depth > MOST_LOADS) return null;
    const found: LoadOrigin[] = [];
    for (const parent of made.parents) {
      if (parent.kind === "object") found.push({ kind: "outside", type: parent.type, offset: parent.offset });
      else if (parent.kind !== "made") return null;
      else found.push({ kind: "behind", pointer: this.pointer(parent.source, depth + 1), offset: parent.offset });
    }
    return found;
  }

  /** All that is known of a pointer that was made in this function. */
  pointer(source: number, depth: number): KnownPointer {
    return { origins: this.#originsOfMade(source, depth), ...this.#usesOf(source) };
  }

  /** How the code uses a pointer that it made. */
  #usesOf(source: number): Pick<KnownPointer, "reads" | "followed" | "parts"> {
    this.#reads ??= this.#allReads();
    const parts = (this.#bounds.get(source) ?? []).map(({ type, offset }) => ({ type, offset: -offset }));
    return { reads: this.#reads.get(source) ?? [], followed: this.#followed.get(source) ?? [], parts };
  }

  #allReads(): Map<number, number[]> {
    const reads = new Map<number, number[]>();
    for (const { parents } of this.#met) {
      for (const parent of parents) {
        if (parent.kind !== "made") continue;
        addTo(reads, parent.source, parent.offset);
        // What was loaded there is a pointer in its turn.
        for (const grand of this.#sources[parent.source]?.parents ?? []) {
          if (grand.kind === "made") addTo(this.#followed, grand.source, grand.offset);
        }
      }
    }
    return reads;
  }

  /** A node of the graph is given a value. Values stand only when the function has been seen to its end. */
  assign(node: number, value: Value): void {
    const { graph, functions } = this.#facts;
    for (const atom of value.atoms) {
      switch (atom.kind) {
        case "address":
          if (functions.at(atom.address) !== undefined) graph.addFunction(node, atom.address);
          else if (atom.address < 0) graph.addAddress(node, atom.address);
          break;
        case "code":
          graph.edge(atom.node, node);
          break;
        case "object":
          graph.addObject(node, atom.type, atom.offset);
          break;
        case "made":
          if (atom.offset === 0) graph.edge(this.nodeOf(atom.source), node);
          else graph.addUnknown(node);
          break;
        case "dead":
          break;
        default:
          graph.addUnknown(node);
      }
    }
  }

  /** The node of a value that was made in this function. */
  nodeOf(source: number): number {
    const made = this.#sources[source]!;
    if (made.node >= 0) return made.node;
    const { graph } = this.#facts;
    const node = graph.local();
    made.node = node;
    const bounds = this.#bounds.get(source) ?? [];
    for (const { type, offset } of bounds) graph.addObject(node, type, offset);
    if (bounds.length > 0) return node;
    for (const from of made.nodes) graph.edge(from, node);
    for (const parent of made.parents) {
      if (parent.kind === "made") graph.edge(graph.load(this.nodeOf(parent.source), parent.offset), node);
      else if (parent.kind === "object") {
        const places = this.outside(parent);
        for (const place of places) graph.edge(graph.member(place), node);
        if (places.length === 0) graph.addUnknown(node);
      }
    }
    if (made.nodes.length === 0 && made.parents.length === 0) graph.addUnknown(node);
    return node;
  }

  /**
   * Where a value comes out of nothing but pointers to functions in structs that hold others (container_of): these members.
   * None where it may come from elsewhere as well.
   */
  codeOutside(source: number): readonly Place[] {
    const made = this.#sources[source];
    if (made === undefined || made.nodes.length > 0 || this.#bounds.has(source)) return [];
    const found: Place[] = [];
    for (const parent of made.parents) {
      const places = parent.kind === "object" ? this.outside(parent) : [];
      if (places.length === 0 || places.some(({ type }) => this.#facts.graph.prototypeOf(type) < 0)) return [];
      found.push(...places);
    }
    return found;
  }

  /** What lies outside of an inner struct: in the struct that holds it (container_of). */
  outside(atom: Extract<Atom, { kind: "object" }>): readonly Place[] {
    const { structs } = this.#facts;
    const told = this.#outer.get(atom.type);
    if (told !== undefined) {
      const places = told.flatMap(({ type, offset }) => structs.at(type, atom.offset + offset));
      if (places.length > 0) return places;
    }
    return structs.outside(atom.type, atom.offset);
  }
}

function addTo<K>(map: Map<K, number[]>, key: K, value: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

function addBound<K>(map: Map<K, Bound[]>, key: K, bound: Bound): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [bound]);
  else if (!known.some((one) => one.type === bound.type && one.offset === bound.offset)) known.push(bound);
}

/** Can the value carry a function, or lead to one? */
export function interesting(value: Value): boolean {
  return (value.kinds & (KIND.address | KIND.object | KIND.code | KIND.made)) !== 0;
}

/** An integer that a pointer fits in. */
export function isWord(type: CType): boolean {
  return type.kind === "int" && type.size === 8;
}
