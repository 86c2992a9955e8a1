/**
 * What the values of one function say about types and function pointers, put into the flow graph: the answers to the
 * questions of function-flow.ts, and the listener of what it finds.
 *
 * C's types are not in the code, but much of them comes back: parameters and results of functions with a prototype are typed,
 * and so is what is loaded from a member of a known struct. What is of no known type where it is made (`void *`, the result of
 * an allocation) is given the types that it is used as: passed as an argument, stored, returned.
 */
import { type CodeColumns, FLOW, mnemonicNumber } from "../../code/code-columns.ts";
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { FlowGraph } from "./flow-graph.ts";
import { ARGUMENT_REGISTERS, type FlowListener, type FlowQuestions, FunctionFlow } from "./function-flow.ts";
import { probesOf, registersProbe, tracepointOf } from "./kernel-lists.ts";
import type { KnownFunction, KnownFunctions } from "./known-functions.ts";
import type { KnownPointer, LoadOrigin, MemberSearch } from "./member-search.ts";
import { isVariadic, type Prototypes, type RegisterParameter } from "./prototypes.ts";
import type { Place, StructPlaces } from "./struct-places.ts";
import { UsedResults } from "./used-results.ts";
import { type Atom, type Value, Values } from "./values.ts";

export interface ProgramFacts {
  readonly structs: StructPlaces;
  readonly prototypes: Prototypes;
  readonly graph: FlowGraph;
  readonly functions: KnownFunctions;
  readonly search: MemberSearch;
  isAddress(value: number): boolean;
  /** Type of the per-CPU variable that holds an address of the per-CPU section, and the offset in it. */
  perCpuVariable(address: number): { readonly type: CType; readonly offset: number } | null;
  thunkRegister(target: number): number;
  isReturnThunk(target: number): boolean;
  preserves(target: number): boolean;
  /** Name of the tracepoint (`struct tracepoint`) there. */
  tracepointAt(address: number): string | null;
  /** An object of that type begins there. */
  typedAddress(address: number, type: CAggregate): void;
}

/** An indirect call as it came out of the code. */
export interface FoundSite {
  /** Address of the instruction. */
  readonly address: number;
  readonly caller: number;
  readonly tail: boolean;
  /** Nodes of the flow graph whose functions are called. */
  readonly nodes: readonly number[];
  /** Functions that the code names itself. */
  readonly constants: readonly number[];
  /** The pointer may also be something that could not be followed. */
  readonly unknown: boolean;
  readonly prototypes: readonly number[];
  /** Where the pointer was loaded from, where no type is known of that; null where it tells nothing. */
  readonly origins: readonly LoadOrigin[] | null;
  /** What the argument registers hold. */
  readonly arguments: readonly GivenArgument[];
  /** The code makes use of what the call returns. */
  readonly returns: boolean;
}

/** What an argument register holds at an indirect call, as far as it can be held against a prototype. */
export interface GivenArgument {
  /** False where the last call may have overwritten it, or nothing was ever put there: the callee takes no such argument. */
  readonly given: boolean;
  /** Some pointer, of whatever type. */
  readonly pointer: boolean;
  /** The structs that begin where it points, outermost first; null where that is not known. */
  readonly structs: readonly CAggregate[] | null;
}

/** Members of one prototype; of more of them nothing is told. */
const MOST_MEMBERS = 16;
/** Loads through pointers of no known type that are followed back. */
const MOST_LOADS = 3;

interface LostStore {
  /** The pointer. */
  readonly base: number;
  readonly offset: number;
  readonly entry: number;
  /** The members that it can have been stored in. */
  readonly places: readonly Place[];
}

interface Source {
  readonly nodes: number[];
  readonly parents: Atom[];
}

interface Bound {
  readonly type: CAggregate;
  readonly offset: number;
}

export class FunctionFacts implements FlowQuestions, FlowListener {
  readonly #facts: ProgramFacts;
  readonly #values = new Values();
  readonly #flow = new FunctionFlow(this.#values);
  readonly sites: FoundSite[] = [];
  /** Functions that were stored through a pointer of no known type. */
  readonly #lostStores: LostStore[] = [];
  #function: KnownFunction | null = null;
  #code: CodeColumns | null = null;
  #saysDead = false;
  readonly #usedResults = new UsedResults();
  readonly #nop = mnemonicNumber("nop");
  #sources = new Map<number, Source>();
  #nodes = new Map<number, number>();
  #bounds = new Map<number, Bound[]>();
  /** Offsets that are read behind each value, once they are asked for. */
  #reads: Map<number, number[]> | null = null;
  #outer = new Map<CAggregate, Bound[]>();
  #pending: (() => void)[] = [];
  #stackStores: { readonly offset: number; readonly value: Value }[] = [];
  #stackTypes: Bound[] = [];

  constructor(facts: ProgramFacts) {
    this.#facts = facts;
  }

  run(code: CodeColumns, entry: number): void {
    this.#function = this.#facts.functions.at(entry) ?? null;
    this.#code = code;
    this.#saysDead = this.#isTraced(code);
    this.#values.nextFunction();
    this.#sources.clear();
    this.#nodes.clear();
    this.#bounds.clear();
    this.#reads = null;
    this.#outer.clear();
    this.#pending = [];
    this.#stackStores = [];
    this.#stackTypes = [];
    this.#flow.run(code, this, this);
    this.#stackObjects();
    for (const one of this.#pending) one();
  }

  /**
   * Does the function begin with the tracer's hook? Only then is it certain that the compiler keeps nothing in registers that a
   * call may change: gcc's -fipa-ra, which may, is off where -pg is on (gcc's documentation of -fipa-ra).
   */
  #isTraced(code: CodeColumns): boolean {
    for (let at = 0; at < Math.min(code.count, 2); at++) {
      if (code.flow[at] === FLOW.call && this.#facts.preserves(code.target[at]!)) return true;
      if (code.flow[at] === FLOW.next && code.length[at] === 5 && code.mnemonic[at] === this.#nop) return true;
    }
    return false;
  }

  // --- Questions of the flow -------------------------------------------------------------------------------------------

  entry(argument: number): Value {
    const known = this.#function;
    const source = -1 - argument;
    if (known === null) return this.#made(source, null, null);
    const node = (): number => this.#facts.graph.parameter(known.entry, argument);
    if (known.prototypes.length !== 1 || !known.sure) return this.#made(source, node(), null);
    const prototype = known.prototypes[0]!;
    const parameter = this.#facts.prototypes.registers(prototype)[argument];
    if (parameter !== undefined) return this.#typed(parameter.type, node, source);
    return this.#saysDead && !isVariadic(this.#facts.prototypes.type(prototype))
      ? this.#values.dead
      : this.#values.unknown;
  }

  load(atom: Atom, at: number): Value {
    switch (atom.kind) {
      case "object": {
        const places = this.#facts.structs.at(atom.type, atom.offset);
        if (places.length === 0) return this.#made(at, null, atom);
        let value = this.#values.none;
        for (const place of places) value = this.#values.join(value, this.#loadPlace(place, at));
        return value;
      }
      case "cell":
        return this.#typed(atom.type, NO_NODE, at);
      case "address": {
        const { graph } = this.#facts;
        return this.#made(at, atom.anywhere ? graph.table(atom.address) : graph.global(atom.address), null);
      }
      case "made":
        return this.#made(at, null, atom);
      default:
        return this.#made(at, null, null);
    }
  }

  #loadPlace(place: Place, at: number): Value {
    return this.#typed(place.type, () => this.#facts.graph.member(place), at);
  }

  /** A value of a declared type, which comes out of a node of the graph. */
  #typed(declared: CType, node: () => number | null, source: number): Value {
    const { structs, prototypes } = this.#facts;
    const pointee = structs.pointee(declared);
    if (pointee !== null) return this.#values.object(pointee, 0);
    const type = stripTypedefs(declared);
    // What is too short for a pointer is a number.
    if ((type.kind === "int" || type.kind === "enum") && type.size < 8) return this.#values.none;
    if (type.kind !== "pointer") return this.#made(source, node(), null);
    const target = stripTypedefs(type.target);
    if (target.kind === "function") {
      const prototype = prototypes.idOf(target);
      return this.#values.code(node() ?? this.#anyOf(prototype), prototype);
    }
    if (target.kind === "pointer") return this.#values.cell(target);
    return this.#made(source, node(), null);
  }

  #anyOf(prototype: number): number {
    const node = this.#facts.graph.pool(`any ${prototype}`);
    this.#facts.graph.addUnknown(node);
    return node;
  }

  #made(source: number, node: number | null, parent: Atom | null): Value {
    const known = this.#sources.get(source);
    if (known === undefined) {
      this.#sources.set(source, { nodes: node === null ? [] : [node], parents: parent === null ? [] : [parent] });
    } else {
      if (node !== null && !known.nodes.includes(node)) known.nodes.push(node);
      if (parent !== null && !known.parents.includes(parent)) known.parents.push(parent);
    }
    // Parameters are numbered below zero.
    return this.#values.made(source + 8, 0);
  }

  perCpu(address: number): Value {
    const found = this.#facts.perCpuVariable(address);
    if (found === null) return this.#values.address(address);
    const type = stripTypedefs(found.type);
    if (type.kind === "struct" || type.kind === "union") {
      return this.#values.object(this.#facts.structs.canonical(type), found.offset);
    }
    if (type.kind === "array") {
      const element = stripTypedefs(type.element);
      if ((element.kind === "struct" || element.kind === "union") && element.size > 0) {
        return this.#values.object(this.#facts.structs.canonical(element), found.offset % element.size);
      }
      return this.#values.cell(type.element);
    }
    return this.#values.cell(found.type);
  }

  isAddress(value: number): boolean {
    return this.#facts.isAddress(value);
  }

  thunkRegister(target: number): number {
    return this.#facts.thunkRegister(target);
  }

  isReturnThunk(target: number): boolean {
    return this.#facts.isReturnThunk(target);
  }

  preserves(target: number): boolean {
    return this.#facts.preserves(target);
  }

  /** Assembler clobbers what it says; C leaves nothing that its caller may build upon. */
  clobbers(target: number | null): boolean {
    if (!this.#saysDead) return false;
    return target === null || (this.#facts.functions.at(target)?.prototypes.length ?? 0) > 0;
  }

  result(at: number, target: number | null, pointer: Value | null): Value {
    const { prototypes, functions, graph } = this.#facts;
    if (target !== null) {
      const callee = functions.at(target);
      if (callee === undefined) return this.#made(at, null, null);
      const node = (): number => graph.result(callee.entry);
      if (callee.prototypes.length !== 1 || !callee.sure) return this.#made(at, node(), null);
      return this.#typed(prototypes.type(callee.prototypes[0]!).returns, node, at);
    }
    let value = this.#values.none;
    for (const atom of pointer?.atoms ?? []) {
      if (atom.kind !== "code") value = this.#values.join(value, this.#made(at, null, null));
      else {
        const { returns } = prototypes.type(atom.prototype);
        const node = (): number => graph.pool(`result ${atom.prototype}`);
        value = this.#values.join(value, this.#typed(returns, node, at));
      }
    }
    return value;
  }

  // --- What the flow tells ---------------------------------------------------------------------------------------------

  direct(at: number, target: number, registers: readonly Value[], tail: boolean): void {
    const { functions, prototypes, graph } = this.#facts;
    const callee = functions.at(target);
    if (callee === undefined) return;
    if (registersProbe(callee.name))
      this.#probe(registers[ARGUMENT_REGISTERS[0]!]!, registers[ARGUMENT_REGISTERS[1]!]!);
    const sure = callee.sure && callee.prototypes.length === 1;
    const parameters = sure ? prototypes.registers(callee.prototypes[0]!) : null;
    const count = parameters === null ? ARGUMENT_REGISTERS.length : parameters.length;
    for (let argument = 0; argument < count; argument++) {
      const value = registers[ARGUMENT_REGISTERS[argument]!]!;
      this.#argument(value, parameters?.[argument] ?? null, () => graph.parameter(callee.entry, argument));
    }
    if (tail)
      this.#returnsLike(sure ? prototypes.type(callee.prototypes[0]!).returns : null, graph.result(callee.entry));
    void at;
  }

  /** A probe is registered for a tracepoint. */
  #probe(tracepoint: Value, probe: Value): void {
    for (const { address } of tracepoint.atoms.filter((atom) => atom.kind === "address")) {
      const name = this.#facts.tracepointAt(address);
      if (name !== null) this.#pending.push(() => this.#assign(probesOf(this.#facts.graph, name), probe));
    }
  }

  indirect(at: number, pointer: Value, registers: readonly Value[], tail: boolean): void {
    const { prototypes, graph } = this.#facts;
    const address = this.#code!.address[at]!;
    const known = ARGUMENT_REGISTERS.map((register) => this.#given(registers[register]!));
    for (const atom of pointer.atoms) {
      if (atom.kind !== "code") continue;
      for (const [argument, parameter] of prototypes.registers(atom.prototype).entries()) {
        const value = registers[ARGUMENT_REGISTERS[argument]!]!;
        this.#argument(value, parameter, () => graph.pool(`argument ${atom.prototype} ${argument}`));
      }
    }
    const caller = this.#function?.entry ?? address;
    const returns = this.#usedResults.after(this.#code!, at, tail, this.#returnsValue());
    this.#pending.push(() => this.#site(address, caller, tail, pointer, known, returns));
  }

  /** Does the function itself return something? */
  #returnsValue(): boolean {
    const known = this.#function;
    if (known?.sure !== true || known.prototypes.length !== 1) return false;
    return stripTypedefs(this.#facts.prototypes.type(known.prototypes[0]!).returns).kind !== "void";
  }

  #given(value: Value): GivenArgument {
    const { structs } = this.#facts;
    let pointer = value.atoms.length > 0;
    let found: CAggregate[] | null = value.atoms.length > 0 ? [] : null;
    for (const atom of value.atoms) {
      if (atom.kind === "dead") return NOT_GIVEN;
      const isPointer = atom.kind === "object" || atom.kind === "stack" || atom.kind === "cell" || atom.kind === "code";
      if (!isPointer && !(atom.kind === "address" && atom.address < 0)) pointer = false;
      if (atom.kind !== "object" || found === null) found = null;
      else {
        const begin = structs.startingAt(atom.type, atom.offset);
        if (begin === null) found = null;
        else found.push(...begin);
      }
    }
    return { given: true, pointer, structs: found };
  }

  #site(
    address: number,
    caller: number,
    tail: boolean,
    pointer: Value,
    known: readonly GivenArgument[],
    returns: boolean,
  ): void {
    const tracepoint = this.#function === null ? null : tracepointOf(this.#function.name);
    if (tracepoint !== null) {
      const nodes = [probesOf(this.#facts.graph, tracepoint)];
      const prototypes = this.#probePrototypes();
      this.sites.push({
        address,
        caller,
        tail,
        nodes,
        constants: [],
        unknown: false,
        prototypes,
        origins: null,
        arguments: known,
        returns,
      });
      return;
    }
    const nodes: number[] = [];
    const constants: number[] = [];
    const found = new Set<number>();
    let unknown = false;
    for (const atom of pointer.atoms) {
      if (atom.kind === "code") {
        nodes.push(atom.node);
        found.add(atom.prototype);
      } else if (atom.kind === "address" && this.#facts.functions.at(atom.address) !== undefined) {
        constants.push(atom.address);
      } else if (atom.kind === "made" && atom.offset === 0) nodes.push(this.#nodeOf(atom.source - 8));
      else if (atom.kind !== "dead") unknown = true;
    }
    const origins = found.size > 0 ? null : this.#originsOf(pointer);
    const prototypes = [...found];
    this.sites.push({
      address,
      caller,
      tail,
      nodes,
      constants,
      unknown,
      prototypes,
      origins,
      arguments: known,
      returns,
    });
  }

  /** Probes take what the function that calls them does, and return nothing. */
  #probePrototypes(): number[] {
    const { prototypes } = this.#facts;
    return (this.#function?.prototypes ?? []).map((own) => {
      const { parameters } = prototypes.type(own);
      return prototypes.idOf({ kind: "function", returns: { kind: "void" }, parameters });
    });
  }

  store(_at: number, address: Value, value: Value): void {
    if (value.atoms.length === 0) return;
    for (const atom of address.atoms) {
      if (atom.kind === "stack") {
        if (interesting(value)) this.#stackStores.push({ offset: atom.offset, value });
      } else if (atom.kind === "object") this.#storeAt(atom, value);
      else if (atom.kind === "address") {
        if (!interesting(value)) continue;
        const { graph } = this.#facts;
        const node = atom.anywhere ? graph.table(atom.address) : graph.global(atom.address);
        this.#pending.push(() => this.#assign(node, value));
      } else if (interesting(value)) this.#pending.push(() => this.#storeThrough(atom, value));
    }
  }

  #storeAt(atom: Extract<Atom, { kind: "object" }>, value: Value): void {
    const { structs, graph } = this.#facts;
    const places = structs.at(atom.type, atom.offset);
    if (places.length === 0) {
      if (interesting(value)) this.#pending.push(() => this.#storeThrough(atom, value));
      return;
    }
    for (const place of places) {
      const type = stripTypedefs(place.type);
      const target = type.kind === "pointer" ? stripTypedefs(type.target) : null;
      const pointee = structs.pointee(type);
      if (pointee !== null) {
        this.#use(value, pointee);
        continue;
      }
      const holdsCode = target?.kind === "function";
      if (holdsCode || ((target !== null || sizeIs8(type)) && interesting(value))) {
        const node = graph.member(place);
        this.#pending.push(() => this.#assign(node, value));
      }
    }
  }

  /** A store whose struct is not known before the function has been seen to its end. */
  #storeThrough(atom: Atom, value: Value): void {
    const { graph, search, structs: layouts } = this.#facts;
    if (atom.kind === "made") {
      const local = graph.local();
      this.#assign(local, value);
      const base = this.#nodeOf(atom.source - 8);
      graph.store(base, atom.offset, local);
      const functions = this.#functionsIn(value);
      if (functions.length === 0) return;
      const places = search.places(this.#pointer(atom.source - 8, 0), atom.offset);
      for (const entry of functions)
        this.#lostStores.push({ base, offset: atom.offset, entry, places: this.#holding(places, entry) });
    } else if (atom.kind === "object") {
      const places = this.#outside(atom);
      for (const place of places) this.#assign(graph.member(place), value);
      if (places.length > 0) return;
      // One of very many holders: each that has a pointer for such a function there.
      for (const entry of this.#functionsIn(value)) {
        for (const { outer, offset } of search.holders(atom.type)) {
          const held = this.#holding(layouts.at(outer, offset + atom.offset), entry);
          for (const place of held) graph.addFunction(graph.member(place), entry);
        }
      }
    } else this.#assign(graph.pool("escaped"), value);
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
  settleLostStores(): void {
    const { graph } = this.#facts;
    for (const { base, offset, entry, places } of this.#lostStores.splice(0)) {
      if (graph.targets(base).some((target) => graph.nodesAt(target, offset).length > 0)) continue;
      for (const place of places) graph.addFunction(graph.member(place), entry);
    }
  }

  copy(_at: number, to: Value, from: Value): void {
    for (const source of from.atoms) {
      if (source.kind !== "address") continue;
      for (const atom of to.atoms) {
        if (atom.kind === "object") this.#facts.typedAddress((source.address - atom.offset) | 0, atom.type);
      }
    }
  }

  returns(_at: number, value: Value): void {
    const known = this.#function;
    if (known === null || value.atoms.length === 0) return;
    const node = this.#facts.graph.result(known.entry);
    const sure = known.prototypes.length === 1 && known.sure;
    const returns = sure ? this.#facts.prototypes.type(known.prototypes[0]!).returns : null;
    if (returns !== null) {
      const type = stripTypedefs(returns);
      if (type.kind !== "pointer" && !sizeIs8(type)) return;
      const pointee = this.#facts.structs.pointee(type);
      if (pointee !== null) {
        this.#use(value, pointee);
        return;
      }
    }
    this.#pending.push(() => this.#assign(node, value));
  }

  /** A tail call returns what its callee does. */
  #returnsLike(type: CType | null, node: number): void {
    const known = this.#function;
    if (known === null || (type !== null && this.#facts.structs.pointee(type) !== null)) return;
    this.#facts.graph.edge(node, this.#facts.graph.result(known.entry));
  }

  #argument(value: Value, parameter: RegisterParameter | null, node: () => number): void {
    if (value.atoms.length === 0) return;
    if (parameter !== null) {
      const pointee = this.#facts.structs.pointee(parameter.type);
      if (pointee !== null) {
        this.#use(value, pointee);
        return;
      }
      const type = stripTypedefs(parameter.type);
      const target = type.kind === "pointer" ? stripTypedefs(type.target) : null;
      if (target?.kind !== "function" && !interesting(value)) return;
      if (target === null && !sizeIs8(type) && type.kind !== "void") return;
    } else if (!interesting(value)) return;
    const to = node();
    this.#pending.push(() => this.#assign(to, value));
  }

  /** A value is used as a pointer to a struct. */
  #use(value: Value, type: CAggregate): void {
    for (const atom of value.atoms) {
      switch (atom.kind) {
        case "made":
          addBound(this.#bounds, atom.source - 8, { type, offset: -atom.offset });
          break;
        case "address":
          if (!atom.anywhere && atom.address < 0) this.#facts.typedAddress(atom.address, type);
          break;
        case "object":
          if (atom.type !== type) addBound(this.#outer, atom.type, { type, offset: -atom.offset });
          break;
        case "stack":
          // Once each: an empty list on the stack points to itself.
          if (!this.#stackTypes.some((one) => one.type === type && one.offset === atom.offset)) {
            this.#stackTypes.push({ type, offset: atom.offset });
          }
          break;
      }
    }
  }

  /** Where the pointer was loaded from, so far as that may tell what it is; null where it tells nothing. */
  #originsOf(pointer: Value): LoadOrigin[] | null {
    const found: LoadOrigin[] = [];
    for (const atom of pointer.atoms) {
      if (atom.kind === "dead") continue;
      const origins = atom.kind === "made" && atom.offset === 0 ? this.#originsOfMade(atom.source - 8, 0) : null;
      if (origins === null) return null;
      found.push(...origins);
    }
    return found.length === 0 ? null : found;
  }

  #originsOfMade(source: number, depth: number): LoadOrigin[] | null {
    const made = this.#sources.get(source);
    if (made === undefined || made.nodes.length > 0 || made.parents.length === 0 || depth > MOST_LOADS) return null;
    const found: LoadOrigin[] = [];
    for (const parent of made.parents) {
      if (parent.kind === "object") found.push({ kind: "outside", type: parent.type, offset: parent.offset });
      else if (parent.kind !== "made") return null;
      else found.push({ kind: "behind", pointer: this.#pointer(parent.source - 8, depth + 1), offset: parent.offset });
    }
    return found;
  }

  /** All that is known of a pointer that was made in this function. */
  #pointer(source: number, depth: number): KnownPointer {
    return { origins: this.#originsOfMade(source, depth), ...this.#usesOf(source) };
  }

  /** How the code uses a pointer that it made. */
  #usesOf(source: number): Pick<KnownPointer, "reads" | "parts"> {
    if (this.#reads === null) {
      this.#reads = new Map();
      for (const { parents } of this.#sources.values()) {
        for (const parent of parents) if (parent.kind === "made") addTo(this.#reads, parent.source - 8, parent.offset);
      }
    }
    const parts = (this.#bounds.get(source) ?? []).map(({ type, offset }) => ({ type, offset: -offset }));
    return { reads: this.#reads.get(source) ?? [], parts };
  }

  // --- After the function has been seen --------------------------------------------------------------------------------

  #assign(node: number, value: Value): void {
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
          if (atom.offset === 0) graph.edge(this.#nodeOf(atom.source - 8), node);
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
  #nodeOf(source: number): number {
    let node = this.#nodes.get(source);
    if (node !== undefined) return node;
    const { graph } = this.#facts;
    node = graph.local();
    this.#nodes.set(source, node);
    const made = this.#sources.get(source);
    const bounds = this.#bounds.get(source) ?? [];
    for (const { type, offset } of bounds) graph.addObject(node, type, offset);
    if (bounds.length > 0) return node;
    for (const from of made?.nodes ?? []) graph.edge(from, node);
    for (const parent of made?.parents ?? []) {
      if (parent.kind === "made") graph.edge(graph.load(this.#nodeOf(parent.source - 8), parent.offset), node);
      else if (parent.kind === "object") {
        const places = this.#outside(parent);
        for (const place of places) graph.edge(graph.member(place), node);
        if (places.length === 0) graph.addUnknown(node);
      }
    }
    if (made === undefined || (made.nodes.length === 0 && made.parents.length === 0)) graph.addUnknown(node);
    return node;
  }

  /** What lies outside of an inner struct: in the struct that holds it (container_of). */
  #outside(atom: Extract<Atom, { kind: "object" }>): readonly Place[] {
    const { structs } = this.#facts;
    const told = this.#outer.get(atom.type);
    if (told !== undefined) {
      const places = told.flatMap(({ type, offset }) => structs.at(type, atom.offset + offset));
      if (places.length > 0) return places;
    }
    return structs.outside(atom.type, atom.offset);
  }

  /** Objects on the stack: what was stored in them before their address was passed on. */
  #stackObjects(): void {
    const { structs, graph } = this.#facts;
    for (const { offset, value } of this.#stackStores) {
      const isTyped = this.#stackTypes.some((one) => offset >= one.offset && offset < one.offset + one.type.size);
      if (!isTyped) for (const entry of this.#functionsIn(value)) this.#hiddenOnStack(entry);
    }
    for (const { type, offset } of this.#stackTypes) {
      for (const store of this.#stackStores) {
        const within = store.offset - offset;
        if (within < 0 || within >= type.size) continue;
        for (const place of structs.at(type, within)) {
          const pointee = structs.pointee(place.type);
          if (pointee !== null) this.#use(store.value, pointee);
          else this.#pending.push(() => this.#assign(graph.member(place), store.value));
        }
      }
    }
  }
}

const NOT_GIVEN: GivenArgument = { given: false, pointer: false, structs: null };
const NO_NODE = (): null => null;

/** Can the value carry a function, or lead to one? */
function interesting(value: Value): boolean {
  return value.atoms.some(({ kind }) => kind === "address" || kind === "object" || kind === "code" || kind === "made");
}

function sizeIs8(type: CType): boolean {
  return type.kind === "int" && type.size === 8;
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
