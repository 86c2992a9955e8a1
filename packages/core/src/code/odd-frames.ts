/**
 * Frames of two rare kinds, told by the few instructions that make them, where frame-layout.ts can give no distance from RSP to
 * the canonical frame address (CFA): functions that align their stack, and those that call on another stack.
 */
import type { FunctionCode } from "./code-reader.ts";
import { type FrameState, frameLayout } from "./frame-layout.ts";
import type { Instruction, Operand } from "./instruction.ts";

/** How many instructions from a function's entry its prologue is looked for. */
const MAX_PROLOGUE = 48;
/** Instructions between the switch of stacks and the call. */
const MAX_SWITCH = 12;

/** A function that aligned RSP: it kept the CFA in memory, at this distance from its RBP. */
export interface RealignedFrame {
  readonly cfaAtRbp: number;
  /** Callee-saved registers that it pushed, by their distance from RBP. */
  readonly saved: ReadonlyMap<string, number>;
}

/**
 * GCC's prologue for locals that need more than 16-byte alignment, where instruction `index` is behind it:
 * `lea 8(%rsp),%r10; and $-64,%rsp; push -8(%r10); push %rbp; mov %rsp,%rbp; push …; push %r10` (or r13 for r10).
 */
export function realignedFrame(code: FunctionCode, index: number): RealignedFrame | null {
  const { instructions } = code;
  const end = Math.min(index, MAX_PROLOGUE);
  const aligned = instructions.findIndex((one, at) => at < end && one.mnemonic === "and" && isRsp(one.operands[0]));
  if (aligned < 1) return null;
  const copy = instructions.slice(0, aligned).findLast((one) => one.mnemonic === "lea" && isCfa(one.operands[1]));
  const holder = registerOf(copy?.operands[0]);
  if (holder === null) return null;
  let depth: number | null = null;
  let cfaAtRbp: number | null = null;
  const saved = new Map<string, number>([["rbp", 0]]);
  for (let at = aligned + 1; at < end; at++) {
    const one = instructions[at]!;
    if (one.mnemonic === "mov" && registerOf(one.operands[0]) === "rbp" && isRsp(one.operands[1])) depth = 0;
    else if (depth !== null && one.mnemonic === "push") {
      depth -= 8;
      const register = registerOf(one.operands[0]);
      if (register === holder) cfaAtRbp ??= depth;
      else if (register !== null && !saved.has(register)) saved.set(register, depth);
    } else if (depth !== null && cfaAtRbp !== null && one.mnemonic !== "mov") break;
  }
  return cfaAtRbp === null ? null : { cfaAtRbp, saved };
}

/**
 * A call on another stack since 5.8 (a7b5ba4f64d0, arch/x86/include/asm/irq_stack.h): `mov %rsp,(%tos); mov %tos,%rsp;
 * call f; pop %rsp`, the function's own RSP being the word at the other stack's top.
 * @returns the frame as it was at the switch, and how many bytes above RSP at instruction `index` that word lies
 */
export function switchedStack(
  code: FunctionCode,
  index: number,
): { readonly state: FrameState; readonly pushed: number } | null {
  const { instructions } = code;
  let pushed = 0;
  for (let at = index - 1; at > 0 && at >= index - MAX_SWITCH; at--) {
    const one = instructions[at]!;
    const other = one.mnemonic === "mov" && isRsp(one.operands[0]) ? registerOf(one.operands[1]) : null;
    if (other !== null) {
      const kept = keptBefore(instructions, at, other);
      const state = kept < 0 ? null : (frameLayout(code)[kept] ?? null);
      return state === null || state.rspDepth === null ? null : { state, pushed };
    }
    if (one.mnemonic === "push") pushed += 8;
    else if (one.mnemonic === "pop") {
      if (isRsp(one.operands[0])) return null;
      pushed -= 8;
    } else if (one.flow === "jump" || one.flow === "return" || one.flow === "indirect-jump") return null;
  }
  return null;
}

/** Index of the `mov %rsp,(%register)` before a switch, or -1. */
function keptBefore(instructions: readonly Instruction[], at: number, register: string): number {
  for (let before = at - 1; before >= 0 && before >= at - 3; before--) {
    const { mnemonic, operands } = instructions[before]!;
    const [target, source] = operands;
    if (mnemonic !== "mov" || target?.kind !== "memory" || !isRsp(source)) continue;
    return target.base === register && target.index === null && target.displacement === 0n ? before : -1;
  }
  return -1;
}

function registerOf(operand: Operand | undefined): string | null {
  return operand?.kind === "register" && operand.size === 8 ? operand.register : null;
}

function isRsp(operand: Operand | undefined): boolean {
  return registerOf(operand) === "rsp";
}

/** `8(%rsp)`: on entry, before anything was pushed, the CFA. */
function isCfa(operand: Operand | undefined): boolean {
  return operand?.kind === "memory" && operand.base === "rsp" && operand.index === null && operand.displacement === 8n;
}
