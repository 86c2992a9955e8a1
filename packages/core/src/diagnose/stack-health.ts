/** Is the stack whole? Positive checks, so that "not stack related" is a finding and not a lack of one. */
import { canaryUse } from "../code/canary.ts";
import type { StackRange } from "../kernel/kernel.ts";
import { STACK_END_MAGIC, stackEndAt } from "../kernel/stack-end.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";

/** Frames whose canaries are looked at. */
const MAX_CANARY_FRAMES = 64;

export interface StackHealth {
  /** Every link of the chain holds, to the end of the stack. */
  readonly chainProven: boolean;
  /** STACK_END_MAGIC at the task stack's low end: intact, overwritten, or not readable / not known where. */
  readonly stackEnd: "intact" | "overwritten" | "unknown";
  /** Live frames whose canary differs from the reference, although no check noticed yet. */
  readonly brokenCanaries: readonly Frame[];
  readonly checkedCanaries: number;
  readonly spInRange: boolean;
}

/** Looks at the crashed task's stack. */
export function checkStackHealth(facts: CrashFacts): StackHealth {
  const { trace, evidence, kernel } = facts;
  const harmless = trace.broken === null || (trace.broken.dynamic === true && trace.gap === null);
  const chainProven = trace.end !== "lost" && harmless && trace.frames.length > 0;
  if (chainProven && trace.broken === null) {
    const end = trace.end === "user" ? "user mode" : "the start of its thread";
    evidence.add("chain-proven", null, `All ${trace.frames.length} frames are proven, up to ${end}.`);
  } else if (trace.broken !== null) {
    const at = trace.broken.cfa === null ? null : trace.broken.cfa - 8n;
    evidence.add(
      "broken-link",
      at,
      `The chain of return addresses breaks below ${trace.broken.callee?.name ?? "unknown code"}: ${trace.broken.reason}.`,
    );
  }
  const stackEnd = checkStackEnd(facts);
  const canaries = checkCanaries(facts);
  // One past the last byte is where RSP is once everything was taken off a stack that was switched to (spillway.ko).
  const outside = trace.frames.find(
    (frame) => frame.stack === null && kernel.stackAt(frame.sp) === null && kernel.stackAt(frame.sp - 1n) === null,
  );
  if (outside !== undefined)
    evidence.add("sp-outside", outside.sp, `RSP of ${frameName(outside)} lies on no known stack.`);
  return { chainProven, stackEnd, ...canaries, spInRange: outside === undefined };
}

function checkStackEnd(facts: CrashFacts): StackHealth["stackEnd"] {
  const { kernel, evidence } = facts;
  const low = ownStack(facts)?.low ?? null;
  const end = low === null ? null : stackEndAt(kernel, low);
  const found = end === null ? null : kernel.memory.u64(end);
  if (end === null || found === null) return "unknown";
  if (found === STACK_END_MAGIC) {
    evidence.add("stack-end", end, "STACK_END_MAGIC at the task stack's low end is intact.");
    return "intact";
  }
  evidence.add(
    "stack-end",
    end,
    `The task stack's low end holds ${hex(found)} instead of STACK_END_MAGIC (${hex(STACK_END_MAGIC)}).`,
  );
  return "overwritten";
}

/** The crashed task's stack: as the task says, or, where the task is destroyed, the one that its outermost frame lies on. */
export function ownStack(facts: CrashFacts): StackRange | null {
  const { kernel, task, frames } = facts;
  const low = task?.stack ?? null;
  if (low !== null) return kernel.stackAt(low)?.stack ?? null;
  const outermost = frames.at(-1);
  const stack = outermost === undefined ? null : kernel.stackAt(outermost.sp);
  return stack?.stack.kind === "task" ? stack.stack : null;
}

function checkCanaries(facts: CrashFacts): { brokenCanaries: Frame[]; checkedCanaries: number } {
  const { context, frames, kernel, evidence, task } = facts;
  const cpu = facts.cpu?.number ?? facts.trace.cpu;
  const reference = task?.canary ?? (cpu == null ? null : (kernel.referenceCanary(cpu)?.value ?? null));
  const brokenCanaries: Frame[] = [];
  let checkedCanaries = 0;
  if (reference === null) return { brokenCanaries, checkedCanaries };
  for (const [index, frame] of frames.slice(0, MAX_CANARY_FRAMES).entries()) {
    // Interrupted code may stand before its prologue's store or behind its epilogue's check.
    if (frame.cfa === null || frame.interrupted || index === facts.detector) continue;
    const code = context.reader.functionAt(frame.address - 1n);
    const stored = code === null ? null : (canaryUse(context.reader, code)?.stored ?? null);
    if (stored?.depth == null || stored.at >= frame.address) continue;
    const slot = frame.cfa - BigInt(stored.depth);
    const value = kernel.memory.u64(slot);
    if (value === null) continue;
    checkedCanaries++;
    if (value === reference) continue;
    brokenCanaries.push(frame);
    evidence.add(
      `live-canary-${hex(slot)}`,
      slot,
      `The canary in the live frame of ${frameName(frame)} holds ${hex(value)} instead of ${hex(reference)}.`,
    );
  }
  if (checkedCanaries > 0 && brokenCanaries.length === 0) {
    evidence.add(
      "canaries-intact",
      null,
      `The canaries of all ${checkedCanaries} protected frames in the chain are intact.`,
    );
  }
  return { brokenCanaries, checkedCanaries };
}
