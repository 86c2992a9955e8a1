/** One step outwards from a function that aligned its stack, or called on another one (code/odd-frames.ts). */
import { CALLEE_SAVED } from "../code/frame-layout.ts";
import { realignedFrame, switchedStack } from "../code/odd-frames.ts";
import { callerRegisters, type Step, type WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";

type CallStep = Extract<Step, { kind: "call" }>;

/** The step; null where the function is of neither kind. */
export function stepOutOfOddFrame(context: UnwindContext, state: WalkState): CallStep | null {
  const code = context.reader.functionAt(state.exact ? state.pc : state.pc - 1n);
  const index = code === null ? -1 : state.exact ? code.indexAt(state.pc) : code.indexEndingAt(state.pc);
  if (code === null || index < 0) return null;
  const { memory } = context.kernel;
  const switched = switchedStack(code, index);
  if (switched !== null) {
    const sp = memory.u64(state.sp + BigInt(switched.pushed));
    if (sp === null || context.stackAt(sp) === null) return null;
    const cfa = sp + BigInt(switched.state.rspDepth!);
    return { kind: "call", cfa, registers: callerRegisters(context, state, cfa, null, switched.state) };
  }
  const rbp = state.registers.get("rbp");
  const frame = rbp === undefined ? null : realignedFrame(code, index);
  if (rbp === undefined || frame === null) return null;
  const cfa = memory.u64(rbp + BigInt(frame.cfaAtRbp));
  if (cfa === null || cfa <= rbp || context.stackAt(cfa - 1n)?.low !== context.stackAt(rbp)?.low) return null;
  const registers = new Map<string, bigint>();
  for (const register of CALLEE_SAVED) {
    const at = frame.saved.get(register);
    const value = at === undefined ? state.registers.get(register) : memory.u64(rbp + BigInt(at));
    if (value !== null && value !== undefined) registers.set(register, value);
  }
  return { kind: "call", cfa, registers };
}
