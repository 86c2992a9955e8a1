/** From the frames of a backtrace to the states that variables are told from. */
import { CALLEE_SAVED } from "../code/frame-layout.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { layoutAt } from "../unwind/step.ts";
import type { DetailedBacktrace } from "../unwind/unwind.ts";
import { type UnwindContext, unwindContext } from "../unwind/unwind-context.ts";
import type { FrameState, Variable } from "./debug-info.ts";

/** DWARF numbers of x86_64 registers (System V psABI for AMD64, figure 3.36). */
const NUMBERS: ReadonlyMap<string, number> = new Map(
  ["rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"].map(
    (name, number) => [name, number],
  ),
);

/** Parameters and locals of each frame of a backtrace; empty without debug information. */
export function frameVariables(kernel: Kernel, trace: DetailedBacktrace): readonly (readonly Variable[])[] {
  const { debugInfo } = kernel;
  if (debugInfo === null) return trace.frames.map(() => []);
  const states = frameStates(unwindContext(kernel), trace);
  // Where in its function an inferred frame was, may not be known: then neither is what its variables were.
  return trace.frames.map((frame, index) => (frame.offset === null ? [] : debugInfo.variablesAt(states[index]!)));
}

/**
 * The state of each frame, with its caller's. Where a stack was overwritten, the registers that were saved in the damaged part
 * are left out, until a frame further out restores them from memory of its own: what would be read there is not what the
 * caller had.
 */
export function frameStates(context: UnwindContext, trace: DetailedBacktrace): readonly FrameState[] {
  const trusted = trustedRegisters(context, trace);
  const states: FrameState[] = [];
  for (let index = trace.frames.length - 1; index >= 0; index--) {
    const frame = trace.frames[index]!;
    // After an interrupted frame comes no call; after a gap the next frame is not the caller.
    const calledBy = isGapAfter(trace, index) || trace.frames[index + 1]?.interrupted ? undefined : states[0];
    states.unshift({
      pc: frame.address,
      afterCall: !frame.interrupted,
      sp: frame.sp,
      cfa: frame.cfa,
      registers: byNumber(trusted[index]!),
      caller: calledBy ?? null,
    });
  }
  return states;
}

function isGapAfter(trace: DetailedBacktrace, index: number): boolean {
  if (trace.gap === null) return false;
  const lastInferred = trace.frames.findLastIndex((frame) => frame.certainty === "inferred");
  return index === (lastInferred >= 0 ? lastInferred : trace.brokenFrame);
}

function byNumber(registers: ReadonlyMap<string, bigint>): ReadonlyMap<number, bigint> {
  const numbered = new Map<number, bigint>();
  for (const [name, value] of registers) {
    const number = NUMBERS.get(name);
    if (number !== undefined) numbered.set(number, value);
  }
  return numbered;
}

/** What a call to no code saves: it never ran. A return to no code is another matter, it restored what was overwritten. */
const NOTHING: ReadonlyMap<string, number> = new Map();

function trustedRegisters(context: UnwindContext, trace: DetailedBacktrace): ReadonlyMap<string, bigint>[] {
  const { frames } = trace;
  const doubted = new Set<string>();
  return frames.map((frame, index) => {
    // Registers saved by the processor and the entry code are whole.
    if (frame.interrupted) doubted.clear();
    const kept = new Map([...frame.registers].filter(([name]) => !doubted.has(name)));
    const saved = frame.function === null && trace.returned === null ? NOTHING : savedBy(context, frame);
    const hurt = saved === null || mayBeHurt(trace, index, frame);
    for (const register of CALLEE_SAVED) {
      if (saved === null ? hurt : saved.has(register)) {
        if (hurt) doubted.add(register);
        else doubted.delete(register);
      }
    }
    return kept;
  });
}

/** The registers that a frame saved; null where its code and the unwind data do not agree on how it is built. */
function savedBy(context: UnwindContext, frame: Frame): ReadonlyMap<string, number> | null {
  const layout = layoutAt(context, frame.address, frame.interrupted);
  const entry = context.orcAt(frame.interrupted ? frame.address : frame.address - 1n);
  if (layout === null || (entry?.type === "call" && entry.spRegister === "sp" && entry.spOffset !== layout.rspDepth)) {
    return null;
  }
  return layout.saved;
}

/** Whether what a frame saved may be overwritten: its canary was, its return address is gone, or that of the one inside it. */
function mayBeHurt(trace: DetailedBacktrace, index: number, frame: Frame): boolean {
  const inner = trace.frames[index - 1];
  return (
    index === trace.brokenFrame ||
    frame.certainty === "inferred" ||
    inner?.certainty === "inferred" ||
    inner?.function === "__stack_chk_fail" ||
    trace.frames[index + 1]?.certainty === "inferred"
  );
}
