/** What following a function's values (function-flow.ts) asks of the rest of the analysis, and what it tells it. */
import type { CAggregate } from "../../types/type-provider.ts";
import type { Callee } from "./callees.ts";
import type { Atom, Value } from "./values.ts";

/** What the rest of the analysis knows, asked while values are followed. */
export interface FlowQuestions {
  /** What the first argument registers hold at the entry. */
  entry(argument: number): Value;
  /** What debug information says of the variable that a register holds at instruction `at`; null where it says nothing. */
  declared(at: number, register: number): Value | null;
  /** What a load through an atom gives, at instruction `at`. */
  load(atom: Atom, at: number): Value;
  /** The per-CPU variable at an address of the per-CPU section. */
  perCpu(address: number): Value;
  /** Does a number look like an address of the kernel's or a module's? */
  isAddress(value: number): boolean;
  /** What a call or jump names. */
  callee(target: number): Callee;
  /** Does a call there, or through a pointer (null), leave nothing in the registers that a callee need not save? */
  clobbers(callee: Callee | null): boolean;
  /** The struct that a call's argument points to by its prototype; null where that tells none. */
  pointee(argument: number, callee: Callee | null, pointer: Value | null): CAggregate | null;
  /** From now on there is a struct at an offset of the stack. */
  onStack(type: CAggregate, offset: number): void;
  /** What a call returns. */
  result(at: number, callee: Callee | null, pointer: Value | null): Value;
}

/** What is found; told when the values stand. */
export interface FlowListener {
  /** A call or a jump that leaves the function for a known one. */
  direct(callee: Callee, registers: readonly Value[], tail: boolean): void;
  /** `pointer` is what is called. */
  indirect(at: number, pointer: Value, registers: readonly Value[], tail: boolean): void;
  store(at: number, address: Value, value: Value): void;
  /** Bytes are copied from one address to another. */
  copy(at: number, to: Value, from: Value): void;
  returns(at: number, value: Value): void;
}
