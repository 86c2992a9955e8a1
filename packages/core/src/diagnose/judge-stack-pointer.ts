/** Hypothesis: the stack pointer was lost: the CPU ran with an RSP that is on no stack. */
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";

/** Words above RSP shown to be no stack: not one return address among them. */
const LOOKED_AT = 64n;

/**
 * Whatever comes after, a return to nowhere or a double fault, follows from it; no frame need have been overwritten. Asked of
 * the frame that faulted: code of an initial boot or of another kernel's tools may have stacks that are not known.
 */
export function judgeStackPointer(facts: CrashFacts): Hypothesis | null {
  const { fault, kernel, evidence, task } = facts;
  if (fault === null) return null;
  const { frame } = fault;
  const { sp } = frame;
  // One past the last byte is where RSP is once everything was taken off a stack.
  if (frame.stack !== null || kernel.stackAt(sp) !== null || kernel.stackAt(sp - 1n) !== null) return null;
  for (let at = sp & ~7n; at < sp + LOOKED_AT * 8n; at += 8n) {
    const word = kernel.memory.u64(at);
    if (word !== null && facts.context.callSite(word) !== null) return null;
  }
  const own = task?.stack == null ? "" : `; the task's stack is at ${hex(task.stack)}`;
  evidence.add("stack-pointer-lost", sp, `RSP was ${hex(sp)}, on no stack, and nothing there looks like one${own}.`);
  const known = frame.function !== null;
  return hypothesis({
    kind: "frame-mismatch",
    weight: known ? 0.75 : 0.7,
    summary: `The stack pointer was lost: RSP was ${hex(sp)}, which is on no stack, when ${known ? `${frameName(frame)} faulted` : `the CPU went to ${hex(frame.address)}`}. Nothing need have been overwritten.`,
    why: "RSP points outside all stacks, and no return address lies there",
    culprit: known ? frame : null,
    stack: task?.stack == null ? null : (kernel.stackAt(task.stack)?.stack ?? null),
  });
}
