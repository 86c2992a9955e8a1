/** Where a direct branch out of a function really leads: a function, a thunk, or code without a name. */
import { CodeColumns, FLOW, generalRegisters, MAX_OPERANDS, OPERAND } from "../code/code-columns.ts";
import type { Program } from "../program/program.ts";
import { areaOf, type FunctionTable, fullAddress } from "./function-table.ts";
import { readCode } from "./read-code.ts";
import { THUNK, Thunks } from "./thunks.ts";

export type BranchTarget =
  /** `inside`: not at its first instruction. */
  | { readonly kind: "function"; readonly index: number; readonly inside: boolean }
  /** Through this general register. */
  | { readonly kind: "indirect"; readonly register: number }
  | { readonly kind: "return" }
  /** Nothing that is there at run time: the tracer's hook, or code that is gone after the start. */
  | { readonly kind: "nothing" }
  /** No function is known there. */
  | { readonly kind: "unknown" };

const RETURN: BranchTarget = { kind: "return" };
const NOTHING: BranchTarget = { kind: "nothing" };
const UNKNOWN: BranchTarget = { kind: "unknown" };
/** Jumps from one piece of unnamed code to the next that are followed. */
const MAX_STEPS = 4;
/** Bytes of unnamed code that are looked at: thunks made at run time (its_allocate_thunk, 6.15) are shorter. */
const STUB_BYTES = 32;

export class BranchTargets {
  readonly thunks: Thunks;
  readonly #program: Program;
  readonly #table: FunctionTable;
  readonly #stub = new CodeColumns();
  readonly #unnamed = new Map<number, BranchTarget>();

  constructor(program: Program, table: FunctionTable) {
    this.#program = program;
    this.#table = table;
    this.thunks = new Thunks(table);
  }

  /** @param address low 32 bits, signed */
  resolve(address: number): BranchTarget {
    const index = this.#table.holding(address);
    if (index < 0) return this.#unnamedAt(address);
    switch (this.thunks.kind[index]) {
      case THUNK.INDIRECT:
        return { kind: "indirect", register: this.thunks.register[index]! };
      case THUNK.RETURN:
        return RETURN;
      case THUNK.NOTHING:
        return NOTHING;
      default:
        return { kind: "function", index, inside: !this.#table.isEntry(index, address) };
    }
  }

  #unnamedAt(address: number): BranchTarget {
    let known = this.#unnamed.get(address);
    if (known === undefined) {
      known = this.#follow(address, MAX_STEPS);
      this.#unnamed.set(address, known);
    }
    return known;
  }

  #follow(address: number, steps: number): BranchTarget {
    const full = fullAddress(address);
    // Text that is no area of the program's, or one for the start only.
    const area = areaOf(this.#program.text, full);
    if (area?.init || (area === null && this.#program.symbols.isText(full))) return NOTHING;
    const bytes = readCode(this.#program.memory, full, STUB_BYTES);
    if (steps === 0) return UNKNOWN;
    const code = this.#stub;
    code.clear();
    code.decode(bytes, full, 4);
    for (let index = 0; index < code.count; index++) {
      const flow = code.flow[index];
      if (flow === FLOW.return) return RETURN;
      if (flow === FLOW.jump) {
        const target = code.target[index]!;
        return this.#table.holding(target) >= 0 ? this.resolve(target) : this.#follow(target, steps - 1);
      }
      if (flow === FLOW["indirect-jump"] && code.operandKind[index * MAX_OPERANDS] === OPERAND.REGISTER) {
        return { kind: "indirect", register: generalRegisters()[code.operandRegister[index * MAX_OPERANDS]!]! };
      }
      if (flow !== FLOW.next) return UNKNOWN;
    }
    return UNKNOWN;
  }
}
