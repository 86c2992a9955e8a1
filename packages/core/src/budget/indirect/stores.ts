/** What a function stores: in members, variables, objects on its stack, and through pointers that lead nowhere known. */
import { interesting, type MadeValues } from "./made-values.ts";
import type { Members } from "./members.ts";
import type { ProgramFacts } from "./program-facts.ts";
import type { Place } from "./struct-places.ts";
import type { Atom, Value } from "./values.ts";

/** Members of one prototype; of more of them nothing is told. */
const MOST_MEMBERS = 16;

interface LostStore {
  /** The pointer. */
  readonly base: number;
  readonly offset: number;
  readonly entry: number;
  /** The members that it can have been stored in. */
  readonly places: readonly Place[];
}

export class Stores {
  readonly #facts: ProgramFacts;
  readonly #members: Members;
  readonly #made: MadeValues;
  /** Puts off until the function has been seen to its end. */
  readonly #later: (what: () => void) => void;
  /** Functions that were stored through a pointer of no known type. */
  readonly #lostStores: LostStore[] = [];
  readonly #stackStores: { readonly offset: number; readonly value: Value }[] = [];

  constructor(facts: ProgramFacts, members: Members, made: MadeValues, later: (what: () => void) => void) {
    this.#facts = facts;
    this.#members = members;
    this.#made = made;
    this.#later = later;
  }

  nextFunction(): void {
    this.#stackStores.length = 0;
  }

  /** A value is stored. */
  store(address: Value, value: Value): void {
    if (value.atoms.length === 0) return;
    for (const atom of address.atoms) {
      if (atom.kind === "stack") {
        if (interesting(value)) this.#stackStores.push({ offset: atom.offset, value });
      } else if (atom.kind === "object") this.#storeAt(atom, value);
      else if (atom.kind === "address") {
        if (!interesting(value)) continue;
        const { graph } = this.#facts;
        const node = atom.anywhere ? graph.table(atom.address) : graph.global(atom.address);
        this.#later(() => this.#made.assign(node, value));
      } else if (interesting(value)) this.#later(() => this.#storeThrough(atom, value));
    }
  }

  #storeAt(atom: Extract<Atom, { kind: "object" }>, value: Value): void {
    const members = this.#members.behind(atom);
    if (members.length === 0) {
      if (interesting(value)) this.#later(() => this.#storeThrough(atom, value));
      return;
    }
    for (const member of members) {
      const { pointee, target, isWord } = member.type;
      if (pointee !== null) {
        this.#made.use(value, pointee);
        continue;
      }
      if (target?.kind === "function" || ((target !== null || isWord) && interesting(value))) {
        const node = member.node(this.#facts.graph);
        this.#later(() => this.#made.assign(node, value));
      }
    }
  }

  /** A store whose struct is not known before the function has been seen to its end. */
  #storeThrough(atom: Atom, value: Value): void {
    const { graph, search, structs: layouts } = this.#facts;
    if (atom.kind === "made") {
      const local = graph.local();
      this.#made.assign(local, value);
      const base = this.#made.nodeOf(atom.source);
      graph.store(base, atom.offset, local);
      const functions = this.#functionsIn(value);
      if (functions.length === 0) return;
      const places = search.places(this.#made.pointer(atom.source, 0), atom.offset);
      for (const entry of functions)
        this.#lostStores.push({ base, offset: atom.offset, entry, places: this.#holding(places, entry) });
    } else if (atom.kind === "object") {
      const places = this.#made.outside(atom);
      for (const place of places) this.#made.assign(graph.member(place), value);
      if (places.length > 0) return;
      // One of very many holders: each that has a pointer for such a function there.
      for (const entry of this.#functionsIn(value)) {
        for (const { outer, offset } of search.holders(atom.type)) {
          const held = this.#holding(layouts.at(outer, offset + atom.offset), entry);
          for (const place of held) graph.addFunction(graph.member(place), entry);
        }
      }
    } else this.#made.assign(graph.pool("escaped"), value);
  }

  /** A function in an object on the stack that goes to a clone, of which no types are known: any member it was declared for. */
  #hiddenOnStack(entry: number): void {
    const { functions, graph, search, structs } = this.#facts;
    const known = functions.at(entry);
    if (known?.sure !== true || known.prototypes.length !== 1) return;
    const members = search.membersOf(known.prototypes[0]!);
    if (members.length > MOST_MEMBERS) return;
    for (const { owner, offset } of members) {
      for (const place of this.#holding(structs.at(owner, offset), entry))
        graph.addFunction(graph.member(place), entry);
    }
  }

  #functionsIn(value: Value): number[] {
    return value.atoms.flatMap((atom) =>
      atom.kind === "address" && this.#facts.functions.at(atom.address) !== undefined ? [atom.address] : [],
    );
  }

  /** Those of some members that are declared to hold a function like this one. */
  #holding(places: readonly Place[], entry: number): Place[] {
    const { graph } = this.#facts;
    return places.filter(({ type }) => graph.prototypeOf(type) >= 0 && graph.mayHold(type, entry));
  }

  /** What was stored through pointers that turned out to point to nothing known: given to all members that it may be. */
  settleLost(): void {
    const { graph } = this.#facts;
    for (const { base, offset, entry, places } of this.#lostStores.splice(0)) {
      if (graph.targets(base).some((target) => graph.nodesAt(target, offset).length > 0)) continue;
      for (const place of places) graph.addFunction(graph.member(place), entry);
    }
  }

  /** Objects on the stack, once the function has been seen: what was stored in them before their address was passed on. */
  stackObjects(): void {
    const { structs, graph } = this.#facts;
    for (const { offset, value } of this.#stackStores) {
      const isTyped = this.#made.stackTypes.some((one) => offset >= one.offset && offset < one.offset + one.type.size);
      if (!isTyped) for (const entry of this.#functionsIn(value)) this.#hiddenOnStack(entry);
    }
    for (const { type, offset } of this.#made.stackTypes) {
      for (const store of this.#stackStores) {
        const within = store.offset - offset;
        if (within < 0 || within >= type.size) continue;
        for (const place of structs.at(type, within)) {
          const pointee = structs.pointee(place.type);
          if (pointee !== null) this.#made.use(store.value, pointee);
          else this.#later(() => this.#made.assign(graph.member(place), store.value));
        }
      }
    }
  }
}
