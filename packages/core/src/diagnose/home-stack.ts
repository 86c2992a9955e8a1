/** Which stack a frame belongs to, where its RSP may have run out of it. */
import type { StackRange } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import type { CrashFacts } from "./facts.ts";

/** How far below a stack's low end an access still counts as running over it: a frame jumps over the guard page. */
export const REACH_BELOW = 1n << 20n;
/** Between the frame of an exception's entry and the frame that it hit, on the same stack. */
const MAX_STEP = 4096n;

/**
 * The stack that the frame belongs to. RSP itself may already lie outside; then its own CFA, its callers, or the guard page
 * say whose it was. Without a guard page it may even lie on another task's stack: then the chain of its callers leads out of
 * that one, up to the true one.
 */
export function homeStack(facts: CrashFacts, index: number): StackRange | null {
  const { kernel, frames } = facts;
  const frame = frames[index]!;
  const direct = kernel.stackAt(frame.sp);
  const emptied = emptiedStack(facts, frame);
  if (emptied !== null) return emptied;
  const left = stackLeft(facts, index);
  if (left !== null && (direct === null || direct.guard || direct.stack.kind === "task")) return left;
  if (direct !== null && !direct.guard) return direct.stack;
  if (frame.cfa !== null) {
    const byCfa = kernel.stackAt(frame.cfa - 1n);
    if (byCfa !== null && !byCfa.guard) return byCfa.stack;
  }
  const caller = frames[index + 1];
  if (caller !== undefined && !caller.interrupted && caller.stack !== null) return caller.stack;
  return direct?.stack ?? null;
}

/**
 * The code that switched to an extra stack is at its very top while what it called runs there; its own frame is on the stack
 * that it switched from.
 */
function emptiedStack(facts: CrashFacts, frame: Frame): StackRange | null {
  const below = facts.kernel.stackAt(frame.sp - 1n);
  return below !== null && !below.guard && below.stack.kind === "extra" && below.stack.high === frame.sp
    ? below.stack
    : null;
}

/** The stack that the frame's callers end on, without a switch on the way, if the frame itself lies below it. */
function stackLeft(facts: CrashFacts, index: number): StackRange | null {
  const { frames, kernel } = facts;
  const frame = frames[index]!;
  let last = index;
  while (last + 1 < frames.length && follows(frames[last]!, frames[last + 1]!)) {
    last++;
    if (emptiedStack(facts, frames[last]!) !== null) return null;
  }
  const stack = kernel.stackAt(frames[last]!.sp);
  const isLeft =
    stack !== null && !stack.guard && frame.sp < stack.stack.low && frame.sp >= stack.stack.low - REACH_BELOW;
  return isLeft && stack.stack.kind === "task" ? stack.stack : null;
}

/** Is `outer` the caller of `inner`, or what it interrupted, on the same stack? */
function follows(inner: Frame, outer: Frame): boolean {
  return inner.cfa === outer.sp || (outer.sp > inner.sp && outer.sp - inner.sp < MAX_STEP);
}

/** The frames from `first` outwards that belong to `stack`, with those that lie below it. */
export function framesOf(frames: readonly Frame[], first: number, stack: StackRange): Frame[] {
  const result: Frame[] = [];
  for (let index = first; index < frames.length; index++) {
    const frame = frames[index]!;
    const elsewhere = frame.stack !== null && frame.stack.kind !== "task";
    const isBelow = !elsewhere && frame.sp < stack.low && frame.sp >= stack.low - REACH_BELOW;
    const isOn = frame.stack !== null && frame.stack.low === stack.low;
    const previous = frames[index - 1];
    if (index > first && !isOn && !(isBelow && previous !== undefined && follows(previous, frame))) break;
    result.push(frame);
  }
  return result;
}
