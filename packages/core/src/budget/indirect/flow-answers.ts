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
import type { CAggregate, CType } from "../../types/type-provider.ts";
import type { DeclaredPlace } from "./declared-variables.ts";
import type { FlowQuestions } from "./flow-questions.ts";
import type { KnownFunction } from "./known-functions.ts";
import type { MadeValues } from "./made-values.ts";
import type { ProgramFacts } from "./program-facts.ts";
import { isVariadic } from "./prototypes.ts";
import type { Place } from "./struct-places.ts";
import type { Atom, Value, Values } from "./values.ts";

const NO_NODE = (): null => null;

export class FlowAnswers implements FlowQuestions {
  readonly #facts: ProgramFacts;
  readonly #values: Values;
  readonly #made: MadeValues;
  readonly #general = generalRegisters();
  readonly #nop = mnemonicNumber("nop");
  /** What calls of a function and loads of a member give, null where that is made anew each time. */
  readonly #results = new Map<number, Value | null>();
  readonly #places = new Map<Place, Value | null>();
  #function: KnownFunction | null = null;
  #saysDead = false;
  #code: CodeColumns | null = null;
  #callsIndirectly = false;

  constructor(facts: ProgramFacts, values: Values, made: MadeValues) {
    this.#facts = facts;
    this.#values = values;
    this.#made = made;
  }

  nextFunction(code: CodeColumns, known: KnownFunction | null): void {
    this.#function = known;
    this.#saysDead = this.#isTraced(code);
    this.#code = code;
    // Asking what registers hold takes long; where nothing is called through them it tells little.
    this.#callsIndirectly = this.#facts.declared !== null && this.#hasIndirectCall(code);
  }

  /** Forgets what was answered before. */
  forget(): void {
    this.#results.clear();
    this.#places.clear();
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
    const known = this.#function;
    const source = -1 - argument;
    if (known === null) return this.#made.made(source, null, null);
    const node = (): number => this.#facts.graph.parameter(known.entry, argument);
    if (known.prototypes.length !== 1 || !known.sure) return this.#made.made(source, node(), null);
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
        if (places.length === 0) return this.#made.made(at, null, atom);
        let value = this.#values.none;
        for (const place of places) value = this.#values.join(value, this.#loadPlace(place, at));
        return value;
      }
      case "cell":
        return this.#typed(atom.type, NO_NODE, at);
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
        value = this.#values.join(value, this.#loadPlace(place, at));
    }
    return value === this.#values.none ? this.#made.made(at, null, null) : value;
  }

  onStack(type: CAggregate, offset: number): void {
    this.#made.onStack(type, offset);
  }

  pointee(argument: number, target: number | null, pointer: Value | null): CAggregate | null {
    const { functions, prototypes, structs } = this.#facts;
    const declared = (prototype: number): CAggregate | null => {
      const parameter = prototypes.registers(prototype)[argument];
      return parameter === undefined ? null : structs.pointee(parameter.type);
    };
    if (target !== null) {
      const callee = functions.at(target);
      return callee?.prototypes.length === 1 && callee.sure ? declared(callee.prototypes[0]!) : null;
    }
    for (const atom of pointer?.atoms ?? []) if (atom.kind === "code") return declared(atom.prototype);
    return null;
  }

  #loadVariable(place: DeclaredPlace, atom: Extract<Atom, { kind: "address" }>, at: number): Value {
    const { graph, structs } = this.#facts;
    const node = (): number => (atom.anywhere ? graph.table(atom.address) : graph.global(atom.address));
    if (place.kind === "scalar") return this.#typed(place.type, node, at);
    const members = structs.at(structs.canonical(place.struct), place.offset);
    let value = this.#values.none;
    for (const member of members) {
      // Which element of an array it is does not matter to the member.
      const own = atom.anywhere ? () => graph.member(member) : node;
      value = this.#values.join(value, this.#typed(member.type, own, at));
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
    return this.#values.code(this.#anyOf(prototype), prototype);
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

  #loadPlace(place: Place, at: number): Value {
    const known = this.#places.get(place);
    if (known !== undefined) return known ?? this.#made.made(at, this.#facts.graph.member(place), null);
    const value = this.#typed(place.type, () => this.#facts.graph.member(place), at);
    this.#places.set(place, isMade(value) ? null : value);
    return value;
  }

  /** A value of a declared type, which comes out of a node of the graph. */
  #typed(declared: CType, node: () => number | null, source: number): Value {
    const { structs, prototypes } = this.#facts;
    const pointee = structs.pointee(declared);
    if (pointee !== null) return this.#values.object(pointee, 0);
    const type = stripTypedefs(declared);
    // What is too short for a pointer is a number.
    if ((type.kind === "int" || type.kind === "enum") && type.size < 8) return this.#values.none;
    if (type.kind !== "pointer") return this.#made.made(source, node(), null);
    const target = stripTypedefs(type.target);
    if (target.kind === "function") {
      const prototype = prototypes.idOf(target);
      return this.#values.code(node() ?? this.#anyOf(prototype), prototype);
    }
    if (target.kind === "pointer") return this.#values.cell(target);
    return this.#made.made(source, node(), null);
  }

  #anyOf(prototype: number): number {
    const node = this.#facts.graph.pool(`any ${prototype}`);
    this.#facts.graph.addUnknown(node);
    return node;
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
      if (callee === undefined) return this.#made.made(at, null, null);
      const node = (): number => graph.result(callee.entry);
      if (callee.prototypes.length !== 1 || !callee.sure) return this.#made.made(at, node(), null);
      const known = this.#results.get(target);
      if (known !== undefined) return known ?? this.#made.made(at, node(), null);
      const result = this.#typed(prototypes.type(callee.prototypes[0]!).returns, node, at);
      this.#results.set(target, isMade(result) ? null : result);
      return result;
    }
    let value = this.#values.none;
    for (const atom of pointer?.atoms ?? []) {
      if (atom.kind !== "code") value = this.#values.join(value, this.#made.made(at, null, null));
      else {
        const { returns } = prototypes.type(atom.prototype);
        const node = (): number => graph.pool(`result ${atom.prototype}`);
        value = this.#values.join(value, this.#typed(returns, node, at));
      }
    }
    return value;
  }
}

function isMade(value: Value): boolean {
  return value.atoms.length === 1 && value.atoms[0]!.kind === "made";
}
