/** Where a listed function keeps its stack protector's canary. */
import type { Instruction, Operand } from "../../code/instruction.ts";
import type { SessionCode } from "./session.ts";

export interface CanarySlot {
  readonly base: "rsp" | "rbp";
  readonly displacement: bigint;
  /** Index of the instruction that reads or writes the slot. */
  readonly index: number;
  /** Read to be checked, or written by the prologue. */
  readonly use: "check" | "store";
}

/** How many instructions apart a load and its use may lie. */
const WINDOW = 12;

/** The operand is the reference canary, where x86_64 kernels keep it up to 6.14. */
export function isReference(operand: Operand | undefined): boolean {
  return (
    operand?.kind === "memory" && operand.segment === "gs" && operand.base === null && operand.displacement === 0x28n
  );
}

function slotOperand(operand: Operand | undefined): Pick<CanarySlot, "base" | "displacement"> | null {
  if (operand?.kind !== "memory" || operand.segment !== null || operand.index !== null) return null;
  if (operand.base !== "rsp" && operand.base !== "rbp") return null;
  return { base: operand.base, displacement: operand.displacement };
}

/** The slot that the check reads; where only the prologue is listed, the one that it fills. */
export function findCanarySlot(code: SessionCode): CanarySlot | null {
  const { instructions } = code;
  let stored: CanarySlot | null = null;
  for (const [index, one] of instructions.entries()) {
    const at = one.operands.findIndex(isReference);
    if (at < 0) continue;
    const other = one.operands[1 - at];
    if (other?.kind !== "register") continue;
    if (one.mnemonic === "mov" && at === 1) {
      const use = nextUse(instructions, index, other.register);
      if (use?.use === "check") return use;
      stored ??= use;
    } else if (/^(xor|sub|cmp)$/.test(one.mnemonic)) {
      const loaded = loadBefore(instructions, index, other.register);
      if (loaded !== null) return loaded;
    }
  }
  return stored;
}

/** The reference is in a register: what is it stored to, or compared with? */
function nextUse(instructions: readonly Instruction[], from: number, register: string): CanarySlot | null {
  for (let index = from + 1; index < Math.min(instructions.length, from + WINDOW); index++) {
    if (instructions[index - 1]!.length === 0) return null;
    const one = instructions[index]!;
    const uses = one.operands.findIndex((operand) => operand.kind === "register" && operand.register === register);
    if (uses < 0) continue;
    const slot = slotOperand(one.operands[1 - uses]);
    if (slot === null) return null;
    if (one.mnemonic === "mov" && uses === 1) return { ...slot, index, use: "store" };
    return /^(xor|sub|cmp)$/.test(one.mnemonic) ? { ...slot, index, use: "check" } : null;
  }
  return null;
}

function loadBefore(instructions: readonly Instruction[], from: number, register: string): CanarySlot | null {
  for (let index = from - 1; index >= Math.max(0, from - WINDOW); index--) {
    const one = instructions[index]!;
    if (one.length === 0) return null;
    const [first, second] = one.operands;
    if (first?.kind !== "register" || first.register !== register) continue;
    const slot = one.mnemonic === "mov" ? slotOperand(second) : null;
    return slot === null ? null : { ...slot, index, use: "check" };
  }
  return null;
}
