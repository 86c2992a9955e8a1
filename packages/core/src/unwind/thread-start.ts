/**
 * Where a stack begins, for kernels without ORC. CPUs start at an address that was put on their stack by hand, so that no call
 * precedes it, or with a blank one; and under the outermost frame of everything else lie the registers of user mode.
 */
import { PT_REGS_SIZE } from "./pt-regs.ts";
import type { WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** TOP_OF_KERNEL_STACK_PADDING: 16 bytes with CONFIG_X86_FRED (65c9cc9e2c14, 6.9), else none. */
const PADDINGS: readonly bigint[] = [0n, 16n];
/** The first stack pointer of CPU 0 up to 4.13: one word below the top (arch/x86/kernel/head_64.S, `stack_start`). */
const WORD_BELOW_TOP = 8n;

/** What lies at a return slot: an address where a stack begins, nothing (a blank slot: no frame comes after), or neither. */
export function threadStart(context: UnwindContext, slot: bigint): "address" | "blank" | null {
  const stack = context.stackAt(slot);
  if (stack?.kind !== "task") return null;
  const depth = stack.high - slot - 8n;
  const firsts = [WORD_BELOW_TOP, ...PADDINGS.map((padding) => BigInt(PT_REGS_SIZE) + padding)];
  if (!firsts.includes(depth)) return null;
  const { memory, symbols } = context.kernel;
  const found = memory.u64(slot);
  // `pushq $0`: "fake return address to stop unwinder" (head_64.S up to 4.13).
  if (found === 0n) return "blank";
  if (found === null || !symbols.isText(found) || context.orcAt(found) !== null) return null;
  return context.callSite(found) === null && context.functionAt(found) !== null ? "address" : null;
}

/** Does RSP stand at the registers that user mode came with, the last thing on every stack? */
export function isAtTop(context: UnwindContext, state: WalkState): boolean {
  const stack = context.stackAt(state.sp);
  if (stack?.kind !== "task" || state.exact) return false;
  return PADDINGS.some((padding) => stack.high - state.sp === BigInt(PT_REGS_SIZE) + padding);
}
