/** The instructions of CIEs and FDEs, run up to one address. Source: DWARF 5, section 6.4.2 and figure 7.29. */
import { corrupt, Reader } from "../debuginfo/dwarf/reader.ts";
import type { CfaRule, CfiRow, RegisterRule } from "./cfi.ts";
import type { Cie, Fde } from "./cfi-section.ts";

const DW_CFA = {
  nop: 0x00,
  setLoc: 0x01,
  advanceLoc1: 0x02,
  advanceLoc2: 0x03,
  advanceLoc4: 0x04,
  offsetExtended: 0x05,
  restoreExtended: 0x06,
  undefined: 0x07,
  sameValue: 0x08,
  register: 0x09,
  rememberState: 0x0a,
  restoreState: 0x0b,
  defCfa: 0x0c,
  defCfaRegister: 0x0d,
  defCfaOffset: 0x0e,
  defCfaExpression: 0x0f,
  expression: 0x10,
  offsetExtendedSigned: 0x11,
  defCfaSigned: 0x12,
  defCfaOffsetSigned: 0x13,
  valOffset: 0x14,
  valOffsetSigned: 0x15,
  valExpression: 0x16,
  mipsAdvanceLoc8: 0x1d,
  gnuWindowSave: 0x2d,
  gnuArgsSize: 0x2e,
  gnuNegativeOffsetExtended: 0x2f,
} as const;

/** The high two bits of an instruction that carries its operand in the low six. */
const ADVANCE_LOC = 1;
const OFFSET = 2;
const RESTORE = 3;

/** States that `remember_state` keeps; compilers nest two. */
const MAX_REMEMBERED = 64;
/** Registers of a row; x86_64 has numbers up to 130. */
const MAX_REGISTERS = 256;

/**
 * The row in force at a signed address that the FDE covers; null where the instructions never say where the CFA is.
 * @throws SpillwayError `SPW_DEBUGINFO_CORRUPT`
 */
export function rowAt(fde: Fde, pc: number): CfiRow | null {
  const program = new Program(fde.cie, fde.start, pc);
  program.run(fde.cie.instructions);
  program.keepInitial();
  program.run(fde.instructions);
  return program.row();
}

class Program {
  readonly #cie: Cie;
  readonly #pc: number;
  #location: number;
  #cfa: CfaRule | null = null;
  #rules = new Map<number, RegisterRule>();
  #initial: ReadonlyMap<number, RegisterRule> = new Map();
  readonly #remembered: { cfa: CfaRule | null; rules: Map<number, RegisterRule> }[] = [];

  constructor(cie: Cie, start: number, pc: number) {
    this.#cie = cie;
    this.#location = start;
    this.#pc = pc;
  }

  keepInitial(): void {
    this.#initial = new Map(this.#rules);
  }

  row(): CfiRow | null {
    if (this.#cfa === null) return null;
    const { returnAddress, signal } = this.#cie;
    return { cfa: this.#cfa, registers: this.#rules, returnAddress, signal };
  }

  /** Each instruction takes a byte at least, so that this ends. */
  run(instructions: Uint8Array): void {
    const reader = new Reader(instructions);
    while (!reader.end && this.#location <= this.#pc) {
      const before = this.#location;
      const code = reader.u8();
      const operand = code & 0x3f;
      switch (code >> 6) {
        case ADVANCE_LOC:
          this.#advance(operand);
          break;
        case OFFSET:
          this.#set(operand, { kind: "offset", offset: reader.uleb() * this.#cie.dataAlignment });
          break;
        case RESTORE:
          this.#restore(operand);
          break;
        default:
          this.#extended(operand, reader);
      }
      // What follows holds from a later address on.
      if (this.#location > this.#pc) this.#location = Number.POSITIVE_INFINITY;
      else if (this.#location < before) throw corrupt("call frame information goes backwards");
    }
  }

  #advance(delta: number): void {
    this.#location += delta * this.#cie.codeAlignment;
  }

  #set(register: number, rule: RegisterRule): void {
    if (this.#rules.size >= MAX_REGISTERS && !this.#rules.has(register)) {
      throw corrupt("call frame information names more registers than there are");
    }
    this.#rules.set(register, rule);
  }

  #restore(register: number): void {
    const rule = this.#initial.get(register);
    if (rule === undefined) this.#rules.delete(register);
    else this.#set(register, rule);
  }

  #defineCfa(register: number, offset: number): void {
    this.#cfa = { kind: "register", register, offset };
  }

  /** A new register or offset for a CFA that is one plus the other. */
  #changeCfa(change: { readonly register?: number; readonly offset?: number }): void {
    if (this.#cfa?.kind !== "register") throw corrupt("call frame information changes a CFA that it has not set");
    this.#cfa = { ...this.#cfa, ...change };
  }

  #extended(code: number, reader: Reader): void {
    const { dataAlignment } = this.#cie;
    switch (code) {
      case DW_CFA.nop:
      case DW_CFA.gnuWindowSave:
        return;
      case DW_CFA.setLoc:
        if (this.#cie.encoding !== 0) throw corrupt("call frame information sets a location by an encoded pointer");
        this.#location = reader.address64();
        return;
      case DW_CFA.advanceLoc1:
        this.#advance(reader.u8());
        return;
      case DW_CFA.advanceLoc2:
        this.#advance(reader.u16());
        return;
      case DW_CFA.advanceLoc4:
        this.#advance(reader.u32());
        return;
      case DW_CFA.mipsAdvanceLoc8:
        this.#advance(reader.u64());
        return;
      case DW_CFA.offsetExtended:
        this.#set(reader.uleb(), { kind: "offset", offset: reader.uleb() * dataAlignment });
        return;
      case DW_CFA.offsetExtendedSigned:
        this.#set(reader.uleb(), { kind: "offset", offset: reader.sleb() * dataAlignment });
        return;
      case DW_CFA.gnuNegativeOffsetExtended:
        this.#set(reader.uleb(), { kind: "offset", offset: -reader.uleb() * dataAlignment });
        return;
      case DW_CFA.valOffset:
        this.#set(reader.uleb(), { kind: "value-offset", offset: reader.uleb() * dataAlignment });
        return;
      case DW_CFA.valOffsetSigned:
        this.#set(reader.uleb(), { kind: "value-offset", offset: reader.sleb() * dataAlignment });
        return;
      case DW_CFA.restoreExtended:
        this.#restore(reader.uleb());
        return;
      case DW_CFA.undefined:
        this.#set(reader.uleb(), { kind: "undefined" });
        return;
      case DW_CFA.sameValue:
        this.#set(reader.uleb(), { kind: "same" });
        return;
      case DW_CFA.register:
        this.#set(reader.uleb(), { kind: "register", register: reader.uleb() });
        return;
      case DW_CFA.expression:
        this.#set(reader.uleb(), { kind: "expression", expression: reader.block(reader.uleb()) });
        return;
      case DW_CFA.valExpression:
        this.#set(reader.uleb(), { kind: "value-expression", expression: reader.block(reader.uleb()) });
        return;
      case DW_CFA.rememberState:
        if (this.#remembered.length >= MAX_REMEMBERED) throw corrupt("call frame information remembers without end");
        this.#remembered.push({ cfa: this.#cfa, rules: new Map(this.#rules) });
        return;
      case DW_CFA.restoreState: {
        const state = this.#remembered.pop();
        if (state === undefined) throw corrupt("call frame information restores what it did not remember");
        this.#cfa = state.cfa;
        this.#rules = state.rules;
        return;
      }
      case DW_CFA.defCfa:
        this.#defineCfa(reader.uleb(), reader.uleb());
        return;
      case DW_CFA.defCfaSigned:
        this.#defineCfa(reader.uleb(), reader.sleb() * dataAlignment);
        return;
      case DW_CFA.defCfaRegister:
        this.#changeCfa({ register: reader.uleb() });
        return;
      case DW_CFA.defCfaOffset:
        this.#changeCfa({ offset: reader.uleb() });
        return;
      case DW_CFA.defCfaOffsetSigned:
        this.#changeCfa({ offset: reader.sleb() * dataAlignment });
        return;
      case DW_CFA.defCfaExpression:
        this.#cfa = { kind: "expression", expression: reader.block(reader.uleb()) };
        return;
      case DW_CFA.gnuArgsSize:
        reader.skipLeb();
        return;
      default:
        throw corrupt(`call frame information has an instruction 0x${code.toString(16)}`);
    }
  }
}
