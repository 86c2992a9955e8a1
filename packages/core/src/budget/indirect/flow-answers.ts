/**
 * What types say of values while a function is followed: parameters and results of functions with a prototype are typed, and
 * so is what is loaded from a member of a known struct.
 */
import {
  type CodeColumns,
  FLOW,
  generalRegisters,
  MAX_OPERANDS,
  mnemonicNumber,
  OPERAND,
} from "../../code/code-columns.ts";
import { stripTypedefs } from "../../types/strip.ts";
import type { CAggregate } from "../../types/type-provider.ts";
import { type Callee, Callees } from "./callees.ts";
import type { DeclaredPlace } from "./declared-variables.ts";
import type { FlowQuestions } from "./flow-questions.ts";
import type { KnownFunction } from "./known-functions.ts";
import type { MadeValues } from "./made-values.ts";
import type { Member, Members } from "./members.ts";
import type { ProgramFacts } from "./program-facts.ts";
import { isVariadic } from "./prototypes.ts";
import type { TypeFacts, TypeFactsTable } from "./type-facts.ts";
import type { Atom, Value, Values } from "./values.ts";

const NO_NODE = (): null => null;

export class FlowAnswers implements FlowQuestions {
  readonly #facts: ProgramFacts;
  readonly #values: Values;
  readonly #made: MadeValues;
  readonly #general = generalRegisters();
  readonly #nop = mnemonicNumber("nop");
  readonly #types: TypeFactsTable;
  readonly #members: Members;
  readonly #callees: Callees;
  /** The function itself. */
  #own: Callee | null = null;
  #saysDead = false;
  #code: CodeColumns | null = null;
  #callsIndirectly = false;

  constructor(facts: ProgramFacts, types: TypeFactsTable, members: Members, values: Values, made: MadeValues) {
    this.#facts = facts;
    this.#types = types;
    this.#members = members;
    this.#callees = new Callees(facts);
    this.#values = values;
    this.#made = made;
  }

  nextFunction(code: CodeColumns, known: KnownFunction | null): void {
    this.#own = known === null ? null : this.#callees.at(known.entry);
    this.#saysDead = this.#isTraced(code);
    this.#code = code;
    // Asking what registers hold takes long; where nothing is called through them it tells little.
    this.#callsIndirectly = this.#facts.declared !== null && this.#hasIndirectCall(code);
  }

  /** Forgets what was answered before. */
  forget(): void {
    this.#callees.forget();
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

  #hasIndirectCall(code: CodeColumns): boolean {
    for (let at = 0; at < code.count; at++) {
      const flow = code.flow[at];
      if (flow === FLOW["indirect-call"] || flow === FLOW["indirect-jump"]) return true;
      if ((flow === FLOW.call || flow === FLOW.jump) && this.#facts.thunkRegister(code.target[at]!) >= 0) return true;
    }
    return false;
  }

  entry(argument: number): Value {
    const own = this.#own;
    const source = -1 - argument;
    if (own === null) return this.#made.made(source, null, null);
    if (own.prototype < 0) return this.#made.made(source, own.parameterNode(argument), null);
    const parameter = own.parameters(this.#types)[argument];
    if (parameter !== undefined) return this.#typed(parameter, () => own.parameterNode(argument), source);
    return this.#saysDead && !isVariadic(this.#facts.prototypes.type(own.prototype))
      ? this.#values.dead
      : this.#values.unknown;
  }

  load(atom: Atom, at: number): Value {
    switch (atom.kind) {
      case "object": {
        const members = this.#members.behind(atom);
        if (members.length === 0) return this.#made.made(at, null, atom);
        let value = this.#values.none;
        for (const member of members) value = this.#values.join(value, this.#loadMember(member, at));
        return value;
      }
      case "cell":
        return this.#typed(this.#types.of(atom.type), NO_NODE, at);
      case "address": {
        const { graph, declared } = this.#facts;
        const place = declared === null || atom.address >= 0 ? null : declared.at(atom.address);
        if (place !== null) return this.#loadVariable(place, atom, at);
        return this.#made.made(at, atom.anywhere ? graph.table(atom.address) : graph.global(atom.address), null);
      }
      case "made":
        return this.#made.made(at, null, atom);
      case "stack":
        return this.#loadStack(atom.offset, at);
      default:
        return this.#made.made(at, null, null);
    }
  }

  /** Of the structs that were passed on by address, the members that lie there. */
  #loadStack(offset: number, at: number): Value {
    let value = this.#values.none;
    for (const { type, offset: start } of this.#made.stackTypes) {
      if (offset < start || offset >= start + type.size) continue;
      for (const place of this.#facts.structs.at(type, offset - start))
        value = this.#values.join(value, this.#loadMember(this.#members.at(place), at));
    }
    return value === this.#values.none ? this.#made.made(at, null, null) : value;
  }

  onStack(type: CAggregate, offset: number): void {
    this.#made.onStack(type, offset);
  }

  pointee(argument: number, callee: Callee | null, pointer: Value | null): CAggregate | null {
    if (callee !== null) {
      return callee.prototype < 0 ? null : (callee.parameters(this.#types)[argument]?.pointee ?? null);
    }
    for (const atom of pointer?.atoms ?? []) {
      if (atom.kind !== "code") continue;
      const parameter = this.#facts.prototypes.registers(atom.prototype)[argument];
      return parameter === undefined ? null : this.#facts.structs.pointee(parameter);
    }
    return null;
  }

  #loadVariable(place: DeclaredPlace, atom: Extract<Atom, { kind: "address" }>, at: number): Value {
    const { graph, structs } = this.#facts;
    const node = (): number => (atom.anywhere ? graph.table(atom.address) : graph.global(atom.address));
    if (place.kind === "scalar") return this.#typed(this.#types.of(place.type), node, at);
    const members = structs.at(structs.canonical(place.struct), place.offset);
    let value = this.#values.none;
    for (const member of members) {
      // Which element of an array it is does not matter to the member.
      const own = atom.anywhere ? () => graph.member(member) : node;
      value = this.#values.join(value, this.#typed(this.#types.of(member.type), own, at));
    }
    return members.length === 0 ? this.#made.made(at, node(), null) : value;
  }

  declared(at: number, register: number): Value | null {
    const { declared, structs, prototypes } = this.#facts;
    if (declared === null || !this.#callsIndirectly) return null;
    const type = declared.inRegister(this.#code!.address[at]!, register);
    if (type === null) return null;
    const pointee = structs.pointee(type);
    if (pointee !== null) return this.#values.object(pointee, 0);
    const pointer = stripTypedefs(type);
    const target = pointer.kind === "pointer" ? stripTypedefs(pointer.target) : null;
    if (target?.kind !== "function") return null;
    const prototype = prototypes.idOf(target);
    return this.#values.code(this.#facts.graph.anyOf(prototype), prototype);
  }

  /** Prototype of the variable that an instruction calls. */
  declaredCallee(at: number): number | null {
    const code = this.#code!;
    if (!this.#callsIndirectly) return null;
    const isRegister = code.operandKind[at * MAX_OPERANDS] === OPERAND.REGISTER;
    const register = isRegister
      ? this.#general[code.operandRegister[at * MAX_OPERANDS]!]!
      : this.#facts.thunkRegister(code.target[at]!);
    const declared = register < 0 ? null : this.declared(at, register);
    return declared?.atoms[0]?.kind === "code" ? declared.atoms[0].prototype : null;
  }

  #loadMember(member: Member, at: number): Value {
    if (member.loaded === undefined) {
      const value = this.#typed(member.type, () => member.node(this.#facts.graph), at);
      member.loaded = isMade(value) ? null : value;
      return value;
    }
    return member.loaded ?? this.#made.made(at, member.node(this.#facts.graph), null);
  }

  /** A value of a declared type, which comes out of a node of the graph. */
  #typed(type: TypeFacts, node: () => number | null, source: number): Value {
    if (type.pointee !== null) {
      type.object ??= this.#values.object(type.pointee, 0);
      return type.object;
    }
    if (type.isNumber) return this.#values.none;
    const { target } = type;
    if (target?.kind === "function") {
      if (type.prototype < 0) type.prototype = this.#facts.prototypes.idOf(target);
      return this.#values.code(node() ?? this.#facts.graph.anyOf(type.prototype), type.prototype);
    }
    if (target?.kind === "pointer") return this.#values.cell(target);
    return this.#made.made(source, node(), null);
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

  callee(target: number): Callee {
    return this.#callees.at(target);
  }

  /** Assembler clobbers what it says; C leaves nothing that its caller may build upon. */
  clobbers(callee: Callee | null): boolean {
    return this.#saysDead && (callee === null || callee.isCompiled);
  }

  result(at: number, callee: Callee | null, pointer: Value | null): Value {
    const { prototypes, graph } = this.#facts;
    if (callee !== null) {
      if (callee.known === null) return this.#made.made(at, null, null);
      if (callee.prototype < 0 || callee.result === null) return this.#made.made(at, callee.resultNode(), null);
      if (callee.result !== undefined) return callee.result;
      const returns = this.#types.of(prototypes.type(callee.prototype).returns);
      const result = this.#typed(returns, () => callee.resultNode(), at);
      callee.result = isMade(result) ? null : result;
      return result;
    }
    let value = this.#values.none;
    for (const atom of pointer?.atoms ?? []) {
      if (atom.kind !== "code") value = this.#values.join(value, this.#made.made(at, null, null));
      else {
        const { returns } = prototypes.type(atom.prototype);
        const node = (): number => graph.resultOf(atom.prototype);
        value = this.#values.join(value, this.#typed(this.#types.of(returns), node, at));
      }
    }
    return value;
  }
}

function isMade(value: Value): boolean {
  return value.atoms.length === 1 && value.atoms[0]!.kind === "made";
}
