/**
 * One step outwards by RBP alone, for code whose frame neither unwind data nor its own instructions tell. In kernels built with
 * frame pointers a function begins with `push %rbp; mov %rsp,%rbp`: RBP leads to the caller's RBP, with the return address
 * above it. Positions before or after that (prologue, epilogue) are known from the code and never come here.
 */
import { checkLink } from "./link.ts";
import type { Step, WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** The step, if RBP leads upwards on the same stack to a return address that is proven; else null. */
export function stepByFramePointer(context: UnwindContext, state: WalkState): Step | null {
  const rbp = state.registers.get("rbp");
  if (rbp === undefined || (rbp & 7n) !== 0n || rbp < state.sp) return null;
  const stack = context.stackAt(rbp);
  if (stack === null || stack.low !== context.stackAt(state.sp)?.low) return null;
  const cfa = rbp + 16n;
  const callee = context.functionAt(state.exact ? state.pc : state.pc - 1n);
  if (!checkLink(context, cfa - 8n, callee).ok) return null;
  const caller = context.kernel.memory.u64(rbp);
  return { kind: "call", cfa, registers: new Map(caller === null ? [] : [["rbp", caller]]) };
}
