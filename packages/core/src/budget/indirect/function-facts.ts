/**
 * What the values of one function say about types and function pointers, put into the flow graph: the listener of what
 * function-flow.ts finds.
 */
import type { CodeColumns } from "../../code/code-columns.ts";
import { stripTypedefs } from "../../types/strip.ts";
import type { CType } from "../../types/type-provider.ts";
import { isTrampoline } from "../static-call-updates.ts";
import type { OrderedBlocks } from "./block-columns.ts";
import type { Callee } from "./callees.ts";
import { FlowAnswers } from "./flow-answers.ts";
import type { FlowListener } from "./flow-questions.ts";
import { type FoundSite, givenArgument } from "./found-site.ts";
import { FunctionFlow } from "./function-flow.ts";
import { probesOf, tracepointOf } from "./kernel-lists.ts";
import type { KnownFunction } from "./known-functions.ts";
import { interesting, isWord, MadeValues, sourcesOf } from "./made-values.ts";
import { Members } from "./members.ts";
import type { ProgramFacts } from "./program-facts.ts";
import { ARGUMENT_REGISTERS } from "./registers.ts";
import { Stores } from "./stores.ts";
import { type TypeFacts, TypeFactsTable } from "./type-facts.ts";
import { UsedResults } from "./used-results.ts";
import { type Value, Values } from "./values.ts";

export class FunctionFacts implements FlowListener {
  readonly #facts: ProgramFacts;
  readonly #values: Values;
  readonly #flow: FunctionFlow;
  readonly #made: MadeValues;
  readonly #types: TypeFactsTable;
  readonly #members: Members;
  readonly #answers: FlowAnswers;
  readonly #stores: Stores;
  readonly #usedResults = new UsedResults();
  readonly sites: FoundSite[] = [];
  /** By a static call's trampoline: what it is turned to. */
  readonly #staticCalls = new Map<number, number>();
  #function: KnownFunction | null = null;
  #code: CodeColumns | null = null;
  #pending: (() => void)[] = [];

  constructor(facts: ProgramFacts) {
    this.#facts = facts;
    this.#values = new Values((type, offset) => facts.structs.inFirstElement(type, offset));
    this.#flow = new FunctionFlow(this.#values);
    this.#made = new MadeValues(facts, this.#values);
    this.#types = new TypeFactsTable(facts.structs);
    this.#members = new Members(facts.structs, this.#types);
    this.#answers = new FlowAnswers(facts, this.#types, this.#members, this.#values, this.#made);
    this.#stores = new Stores(facts, this.#members, this.#made, (what) => this.#pending.push(what));
  }

  run(code: CodeColumns, blocks: OrderedBlocks, entry: number): void {
    this.#function = this.#facts.functions.at(entry) ?? null;
    this.#code = code;
    this.#values.nextFunction(sourcesOf(code.count));
    this.#made.nextFunction(code.count);
    this.#answers.nextFunction(code, this.#function);
    this.#stores.nextFunction();
    this.#pending = [];
    this.#flow.run(code, blocks, this.#answers, this);
    this.#stores.stackObjects();
    for (const one of this.#pending) one();
  }

  /** To be called when all functions have been run: gives back what only that needs. */
  forget(): void {
    this.#values.forget();
    this.#made.nextFunction(0);
    this.#answers.forget();
    this.#members.forget();
    this.#types.forget();
    this.#pending = [];
  }

  /** See `Stores.settleLost`. */
  settleLostStores(): void {
    this.#stores.settleLost();
  }

  store(_at: number, address: Value, value: Value): void {
    this.#stores.store(address, value);
  }

  direct(callee: Callee, registers: readonly Value[], tail: boolean): void {
    if (callee.known === null) return;
    if (callee.registersProbe) this.#probe(registers[ARGUMENT_REGISTERS[0]!]!, registers[ARGUMENT_REGISTERS[1]!]!);
    if (callee.updatesStaticCall)
      this.#staticCall(registers[ARGUMENT_REGISTERS[1]!]!, registers[ARGUMENT_REGISTERS[2]!]!);
    const parameters = callee.prototype < 0 ? null : callee.parameters(this.#types);
    const count = parameters === null ? ARGUMENT_REGISTERS.length : parameters.length;
    for (let argument = 0; argument < count; argument++) {
      const value = registers[ARGUMENT_REGISTERS[argument]!]!;
      if (!this.#isFollowed(value, parameters === null ? null : parameters[argument]!)) continue;
      this.#assignLater(callee.parameterNode(argument), value);
    }
    if (!tail) return;
    const returns = callee.prototype < 0 ? null : this.#facts.prototypes.type(callee.prototype).returns;
    this.#returnsLike(returns, callee.resultNode());
  }

  /** A probe is registered for a tracepoint. */
  #probe(tracepoint: Value, probe: Value): void {
    for (const { address } of tracepoint.atoms.filter((atom) => atom.kind === "address")) {
      const name = this.#facts.tracepointAt(address);
      if (name !== null) this.#pending.push(() => this.#made.assign(probesOf(this.#facts.graph, name), probe));
    }
  }

  /** A static call is turned to a function: its trampoline calls indirectly, in effect. */
  #staticCall(trampoline: Value, callee: Value): void {
    const { functions, graph } = this.#facts;
    for (const { address } of trampoline.atoms.filter((atom) => atom.kind === "address")) {
      if (!isTrampoline(functions.at(address)?.name ?? "")) continue;
      let node = this.#staticCalls.get(address);
      if (node === undefined) {
        node = graph.local();
        this.#staticCalls.set(address, node);
        // Nobody sees what it is given: whoever calls it does so elsewhere.
        const seen = { tail: true, declared: null, checked: null, arguments: [], returns: false };
        const found = { nodes: [node], constants: [], unknown: false, prototypes: [], origins: null };
        this.sites.push({ address, caller: address, ...seen, ...found });
      }
      this.#assignLater(node, callee);
    }
  }

  indirect(at: number, pointer: Value, registers: readonly Value[], tail: boolean): void {
    const { prototypes, graph } = this.#facts;
    const address = this.#code!.address[at]!;
    const known = ARGUMENT_REGISTERS.map((register) => givenArgument(registers[register]!, this.#facts.structs));
    for (const atom of pointer.atoms) {
      if (atom.kind !== "code") continue;
      for (const [argument, parameter] of prototypes.registers(atom.prototype).entries()) {
        const value = registers[ARGUMENT_REGISTERS[argument]!]!;
        if (!this.#isFollowed(value, this.#types.of(parameter))) continue;
        this.#assignLater(graph.argumentOf(atom.prototype, argument), value);
      }
    }
    const caller = this.#function?.entry ?? address;
    const returns = this.#usedResults.after(this.#code!, at, tail, this.#returnsValue());
    const checked = this.#facts.hashes.checked(this.#code!, at);
    const declared = this.#answers.declaredCallee(at);
    this.#pending.push(() =>
      this.#site({ address, caller, tail, declared, checked, arguments: known, returns }, pointer),
    );
  }

  /** Does the function itself return something? */
  #returnsValue(): boolean {
    const known = this.#function;
    if (known?.sure !== true || known.prototypes.length !== 1) return false;
    return stripTypedefs(this.#facts.prototypes.type(known.prototypes[0]!).returns).kind !== "void";
  }

  #site(call: Omit<FoundSite, "nodes" | "constants" | "unknown" | "prototypes" | "origins">, pointer: Value): void {
    const tracepoint = this.#function === null ? null : tracepointOf(this.#function.name);
    if (tracepoint !== null) {
      const nodes = [probesOf(this.#facts.graph, tracepoint)];
      const prototypes = this.#probePrototypes();
      this.sites.push({ ...call, nodes, constants: [], unknown: false, prototypes, origins: null });
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
      } else if (atom.kind === "made" && atom.offset === 0) {
        // What a member is declared for holds, whatever else it may have been given: it stands for itself.
        const members = this.#made.codeOutside(atom.source);
        for (const { type } of members) found.add(this.#facts.graph.prototypeOf(type));
        if (members.length === 0) nodes.push(this.#made.nodeOf(atom.source));
        else nodes.push(...members.map((place) => this.#facts.graph.member(place)));
      } else if (atom.kind !== "dead") unknown = true;
    }
    const origins = found.size > 0 ? null : this.#made.originsOf(pointer);
    this.sites.push({ ...call, nodes, constants, unknown, prototypes: [...found], origins });
  }

  /** Probes take what the function that calls them does, and return nothing. */
  #probePrototypes(): number[] {
    const { prototypes } = this.#facts;
    return (this.#function?.prototypes ?? []).map((own) => {
      const { parameters } = prototypes.type(own);
      return prototypes.idOf({ kind: "function", returns: { kind: "void" }, parameters });
    });
  }

  copy(_at: number, to: Value, from: Value): void {
    for (const target of to.atoms) {
      if (target.kind !== "address") continue;
      for (const atom of from.atoms) {
        if (atom.kind === "object") this.#facts.typedAddress((target.address - atom.offset) | 0, atom.type);
      }
    }
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
      if (type.kind !== "pointer" && !isWord(type)) return;
      const pointee = this.#facts.structs.pointee(type);
      if (pointee !== null) {
        this.#made.use(value, pointee);
        return;
      }
    }
    this.#pending.push(() => this.#made.assign(node, value));
  }

  /** A tail call returns what its callee does. */
  #returnsLike(type: CType | null, node: number): void {
    const known = this.#function;
    if (known === null || (type !== null && this.#facts.structs.pointee(type) !== null)) return;
    this.#facts.graph.edge(node, this.#facts.graph.result(known.entry));
  }

  /** Must the graph be told that an argument is handed over? If it is a pointer to a struct, it is known to be one from now on. */
  #isFollowed(value: Value, parameter: TypeFacts | null): boolean {
    if (value.atoms.length === 0) return false;
    if (parameter === null) return interesting(value);
    if (parameter.pointee !== null) {
      this.#made.use(value, parameter.pointee);
      return false;
    }
    const { target } = parameter;
    if (target?.kind === "function") return true;
    return interesting(value) && (target !== null || parameter.isWord || parameter.isVoid);
  }

  #assignLater(node: number, value: Value): void {
    this.#pending.push(() => this.#made.assign(node, value));
  }
}
