/** One step outwards by call frame information. */
import { evaluateNumber } from "../debuginfo/location-expression.ts";
import { OP } from "../debuginfo/location-expression-ops.ts";
import type { CfaRule, CfiRow, RegisterRule } from "./cfi.ts";
import { callerRegisters, type WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** Registers by DWARF number (x86_64 psABI, figure 3.36). */
const NAMES = [
  ...["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"],
  ...["r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"],
] as const;
const CALLEE_SAVED: readonly number[] = [3, 6, 12, 13, 14, 15];
const RSP = 7;

export interface CfiStep {
  readonly cfa: bigint;
  /** Address of the word that holds the return address. */
  readonly slot: bigint;
  /** Registers that the caller has. RSP only where it is not the CFA. */
  readonly registers: ReadonlyMap<string, bigint>;
  readonly signal: boolean;
}

/** What the CFI says about the caller; null where there is none, or it needs what is not known. */
export function stepByCfi(context: UnwindContext, state: WalkState): CfiStep | null {
  const row = context.cfiAt(state.exact ? state.pc : state.pc - 1n);
  if (row === null) return null;
  const frame = new CfiFrame(context, state);
  const cfa = frame.cfa(row.cfa);
  const slot = cfa === null ? null : frame.address(row.registers.get(row.returnAddress), cfa);
  if (cfa === null || slot === null) return null;
  return { cfa, slot, registers: registersOf(context, state, frame, row, cfa), signal: row.signal };
}

/** The registers that the rules tell; those without a rule as the code keeps them. */
function registersOf(context: UnwindContext, state: WalkState, frame: CfiFrame, row: CfiRow, cfa: bigint) {
  const registers = new Map(callerRegisters(context, state, cfa, null));
  for (const number of [...CALLEE_SAVED, RSP]) {
    const rule = row.registers.get(number);
    const name = NAMES[number]!;
    const value = rule === undefined ? undefined : frame.value(rule, number, cfa);
    // Assembler has no rules for what it leaves alone, nor does a compiler: those are unchanged.
    const unchanged = number === RSP ? undefined : state.registers.get(name);
    const caller = value === undefined ? (registers.get(name) ?? unchanged) : value;
    if (caller === null || caller === undefined) registers.delete(name);
    else registers.set(name, caller);
  }
  return registers;
}

/** The rules, with a frame's registers and memory. */
class CfiFrame {
  readonly #context: UnwindContext;
  readonly #state: WalkState;

  constructor(context: UnwindContext, state: WalkState) {
    this.#context = context;
    this.#state = state;
  }

  cfa(rule: CfaRule): bigint | null {
    if (rule.kind === "expression") return this.#evaluate(rule.expression, null);
    const base = this.#register(rule.register);
    return base === null ? null : BigInt.asUintN(64, base + BigInt(rule.offset));
  }

  /** Where in memory a rule says the register is; null where it is not in memory. */
  address(rule: RegisterRule | undefined, cfa: bigint): bigint | null {
    if (rule?.kind === "offset") return BigInt.asUintN(64, cfa + BigInt(rule.offset));
    if (rule?.kind === "expression") return this.#evaluate(rule.expression, cfa);
    return null;
  }

  /** The caller's value; null where it is lost. */
  value(rule: RegisterRule, number: number, cfa: bigint): bigint | null {
    switch (rule.kind) {
      case "undefined":
        return null;
      case "same":
        return this.#register(number);
      case "register":
        return this.#register(rule.register);
      case "value-offset":
        return BigInt.asUintN(64, cfa + BigInt(rule.offset));
      case "value-expression":
        return this.#evaluate(rule.expression, cfa);
      default: {
        const address = this.address(rule, cfa);
        return address === null ? null : this.#context.kernel.memory.u64(address);
      }
    }
  }

  #register(number: number): bigint | null {
    if (number === RSP) return this.#state.sp;
    return this.#state.registers.get(NAMES[number] ?? "") ?? null;
  }

  /** A register's expression begins with the CFA on its stack (DWARF 5, section 6.4.2.3); that of the CFA itself does not. */
  #evaluate(expression: Uint8Array, cfa: bigint | null): bigint | null {
    const { memory } = this.#context.kernel;
    return evaluateNumber(cfa === null ? expression : Uint8Array.of(OP.callFrameCfa, ...expression), {
      cfa,
      frameBase: () => null,
      relocate: () => null,
      indexed: () => null,
      entryValue: () => null,
      baseType: () => null,
      referenceSize: 4,
      register: (number) => this.#register(number),
      read: (address, size) => {
        const bytes = memory.read(address, size);
        return bytes === null ? null : bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
      },
    });
  }
}
