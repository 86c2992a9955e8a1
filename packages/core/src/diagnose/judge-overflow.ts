/** Hypothesis: a stack ran over its low end. */
import type { VerdictKind } from "./diagnosis.ts";
import { type CrashFacts, frameName, isExceptionEntry } from "./facts.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";
import { explainOverflow, findOverflow, type Overflow, stackName } from "./overflow.ts";

export function judgeOverflow(facts: CrashFacts): Hypothesis | null {
  const overflow = findOverflow(facts);
  if (overflow === null) return null;
  explainOverflow(facts, overflow);
  const earlier = earlierFault(facts, overflow.index);
  const { stack, cause, cycle } = overflow;
  const kind: VerdictKind = stack.kind === "task" || stack.kind === "extra" ? "stack-overflow" : "irq-stack-overflow";
  return hypothesis({
    kind,
    cause,
    weight: 0.98,
    summary: `The ${Number(stack.high - stack.low) / 1024} KiB ${stackName(stack)} overflowed: ${because(overflow)}${earlier}.`,
    why: "the access that faulted lies below the stack's low end",
    culprit: overflow.culprit,
    stack,
    usedBytes: overflow.usedBytes,
    cycle: cause === "recursion" && cycle !== null ? { cycle, offset: overflow.index } : null,
  });
}

/** Did it overflow while the kernel was reporting another fault? Then that one came first, and a person must know. */
function earlierFault(facts: CrashFacts, overflowed: number): string {
  const { frames, evidence } = facts;
  for (let index = overflowed + 1; index < frames.length; index++) {
    const frame = frames[index]!;
    const entry = frames[index - 1]!.function;
    if (!frame.interrupted || entry === null || !isExceptionEntry(entry)) continue;
    evidence.add(
      "earlier-fault",
      frame.address,
      `${frameName(frame)} had faulted before (${entry}); the overflow came while that was handled.`,
    );
    return `, while an earlier fault in ${frameName(frame)} was being handled`;
  }
  return "";
}

export function because(overflow: Pick<Overflow, "cause" | "cycle" | "largest" | "culprit">): string {
  const { cycle, largest, culprit } = overflow;
  if (overflow.cause === "recursion" && cycle !== null) {
    const who =
      cycle.functions.length === 1
        ? `${frameName(culprit)} calls itself`
        : `${cycle.functions.join(" <- ")} call each other in a circle`;
    return `${who}, ${cycle.turns} turns of ${cycle.bytesPerTurn} bytes`;
  }
  if (overflow.cause === "large-frame" && largest !== null) {
    return `the frame of ${frameName(largest.frame)} alone takes ${largest.bytes} bytes`;
  }
  const share =
    largest === null ? "" : `; the largest frame, ${frameName(largest.frame)}, takes ${largest.bytes} bytes`;
  return `the call chain is too deep, without recursion${share}`;
}
