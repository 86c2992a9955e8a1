/** Hypothesis: a stack ran over its low end. */
import type { Frame } from "../unwind/backtrace.ts";
import type { VerdictKind } from "./diagnosis.ts";
import { type CrashFacts, frameName, isExceptionEntry } from "./facts.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";
import { explainOverflow, findOverflow, type Overflow, stackName } from "./overflow.ts";

export function judgeOverflow(facts: CrashFacts): Hypothesis[] {
  const overflow = findOverflow(facts);
  if (overflow === null) return [];
  explainOverflow(facts, overflow);
  const earlier = earlierFault(facts, overflow.index);
  const { stack, cause, cycle } = overflow;
  const kind: VerdictKind = stack.kind === "task" || stack.kind === "extra" ? "stack-overflow" : "irq-stack-overflow";
  const during = earlier === null ? "" : `, while an earlier fault in ${frameName(earlier.frame)} was being handled`;
  const own = hypothesis({
    kind,
    cause,
    weight: earlier?.reported === true ? 0.6 : 0.98,
    summary: `The ${Number(stack.high - stack.low) / 1024} KiB ${stackName(stack)} overflowed: ${because(overflow)}${during}.`,
    why: "the access that faulted lies below the stack's low end",
    culprit: overflow.culprit,
    stack,
    usedBytes: overflow.usedBytes,
    cycle: cause === "recursion" && cycle !== null ? { cycle, offset: overflow.index } : null,
  });
  return earlier?.reported === true ? [faultFirst(overflow, earlier), own] : [own];
}

/** What the kernel calls to report a fault that it cannot handle (arch/x86/kernel/dumpstack.c, arch/x86/mm/fault.c). */
const REPORTS =
  /^(page_fault_oops|no_context|__?bad_area\w*|die(_addr)?|__die(_body|_header)?|oops_(begin|end)|show_(ip|regs|opcodes|trace_log_lvl)|__show_regs|__warn(_printk)?)(\.|$)/;

interface EarlierFault {
  readonly frame: Frame;
  readonly entry: string;
  /** The kernel was reporting it as one it could not handle. */
  readonly reported: boolean;
}

/** Did it overflow while the kernel was handling another fault? Then that one came first, and a person must know. */
function earlierFault(facts: CrashFacts, overflowed: number): EarlierFault | null {
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
    const reported = frames.slice(overflowed, index).some(({ function: name }) => name !== null && REPORTS.test(name));
    return { frame, entry, reported };
  }
  return null;
}

/** The stack was deep but in order when the fault came; only the report of it did not fit any more. */
function faultFirst(overflow: Overflow, { frame, entry }: EarlierFault): Hypothesis {
  const used = Number(overflow.stack.high - frame.sp);
  return hypothesis({
    kind: "not-stack-related",
    weight: 0.8,
    summary: `${frameName(frame)} faulted (${entry}) with ${used} of ${Number(overflow.stack.high - overflow.stack.low)} bytes of stack in use; the stack overflowed only while the kernel reported that.`,
    why: "the first fault came before the overflow, on a stack that was deep but whole",
    culprit: frame,
    stack: overflow.stack,
    usedBytes: overflow.usedBytes,
  });
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
