/** Hypothesis: the stack had run over its low end, and the calls that did it have returned since. */
import { stackEndAt } from "../kernel/stack-end.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, frameName } from "./facts.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";
import { because } from "./judge-overflow.ts";
import { causeOf } from "./overflow.ts";
import { findPastOverflow } from "./past-overflow.ts";
import { ownStack, type StackHealth } from "./stack-health.ts";

/** Calls that follow each other by their frames' sizes: more than chance leaves. */
const CHAIN = 3;
/** Functions named in the evidence. */
const NAMED = 4;

export function judgePastOverflow(facts: CrashFacts, health: StackHealth): Hypothesis | null {
  const stack = ownStack(facts);
  // An intact word at the end means that nothing ran over it, but for frames that left it out.
  if (stack === null || (health.stackEnd === "intact" && health.chainProven)) return null;
  const lost = health.stackEnd === "overwritten";
  const past = findPastOverflow(facts, stack, lost);
  if (past === null) return null;
  const { frames, crossing } = past;
  const over = frames[crossing]!;
  const why = causeOf(facts, stack, frames);
  const { evidence, kernel } = facts;
  evidence.add("stack-range", stack.low, `The task stack is ${hex(stack.low)}-${hex(stack.high)}.`);
  const slot = over.sp - 8n;
  evidence.add(
    "past-overrun",
    slot,
    slot < stack.low
      ? `${stack.low - slot} bytes below the stack lies a return address into ${frameName(over)}: its frame there reached up to ${hex(over.cfa ?? 0n)}, across the stack's low end.`
      : `${slot - stack.low} bytes above the stack's low end lies a return address into ${frameName(over)}: the frame of what it called there does not fit.`,
  );
  if (frames.length > 1) {
    const named = frames.slice(0, NAMED).map(frameName).join(" <- ");
    const more = frames.length > NAMED ? ` <- … (${frames.length} calls)` : "";
    evidence.add(
      "past-chain",
      frames[0]!.sp - 8n,
      `From ${hex(frames[0]!.sp - 8n)} up, return addresses follow each other as their frames demand: ${named}${more}.`,
    );
  }
  const end = stackEndAt(kernel, stack.low);
  return hypothesis({
    kind: "stack-overflow",
    cause: why.cause,
    weight: lost && frames.length >= CHAIN ? 0.92 : lost ? 0.87 : 0.7,
    summary: `The ${Number(stack.high - stack.low) / 1024} KiB task stack had overflowed into the memory below it, which has no guard page: ${because(why)}. Those calls have returned since.`,
    why: `calls that are over left return addresses from which frames reach across the stack's low end${lost && end !== null ? ", where STACK_END_MAGIC is gone" : ""}`,
    culprit: why.culprit,
    stack,
    usedBytes: Number(stack.high - stack.low),
  });
}
