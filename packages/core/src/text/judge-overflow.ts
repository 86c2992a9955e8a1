/** Explanations by overflow: why the stack ran out, and what only looks like it. */
import type { VerdictKind } from "../diagnose/diagnosis.ts";
import { hex } from "../diagnose/evidence.ts";
import type { LogFacts } from "./log-facts.ts";
import { findLogOverflow, type LogOverflow } from "./log-overflow.ts";
import { framesOnStack, named, overflowReason } from "./overflow-cause.ts";
import { placeName } from "./place-name.ts";
import { boundsName, stackKindOf } from "./stack-bounds.ts";
import { type TextHypothesis, textHypothesis } from "./text-hypothesis.ts";

export function judgeOverflow(facts: LogFacts): TextHypothesis[] {
  const found = findLogOverflow(facts);
  if (found === null) return [];
  const top = facts.chain.frames[0] ?? null;
  if (found.kind === "stray-pointer") {
    const by = facts.code === null ? "" : `: ${facts.code.text} does not go through RSP`;
    facts.evidence.add(
      "stray-pointer",
      found.address,
      `The guard page was hit at ${hex(found.address)} by a pointer${by}.`,
    );
    return [
      textHypothesis({
        kind: "not-stack-related",
        weight: 0.75,
        summary: `A pointer${top === null ? "" : ` in ${placeName(top)}`} led into the guard page of a stack; no stack ran over.`,
        why: "the faulting instruction did not go through the stack pointer",
        culprit: named(top),
      }),
    ];
  }
  if (found.kind === "lost-stack-pointer") {
    facts.evidence.add("stack-pointer", null, `The stack pointer is ${hex(found.sp)}: on no stack that the log knows.`);
    return [
      textHypothesis({
        kind: "undetermined",
        weight: 0.6,
        summary: `The stack pointer is ${hex(found.sp)}, which is on no stack${top === null ? "" : `; the CPU was in ${placeName(top)}`}. Something loaded it with a wrong value.`,
        why: "the stack pointer leads nowhere",
        culprit: named(top),
      }),
    ];
  }
  const own = overflowHypothesis(facts, found.overflow);
  if (found.overflow.whichStack) return [own];
  facts.evidence.miss(
    "Which stack ran over, a task's or one of interrupts and exceptions: the log does not print their ranges.",
  );
  const other: VerdictKind = own.kind === "stack-overflow" ? "irq-stack-overflow" : "stack-overflow";
  const why = "the log does not say which stack it was";
  // Their sum is what the log bears out, and neither alone.
  return [
    { ...own, weight: Math.min(own.weight, 0.64) },
    { ...own, kind: other, weight: 0.4, why },
  ];
}

function overflowHypothesis(facts: LogFacts, overflow: LogOverflow): TextHypothesis {
  const { evidence } = facts;
  const { bounds } = overflow;
  const stack = bounds ?? stackKindOf(facts.chain.frames[0]?.marker ?? null);
  const name = boundsName(stack);
  if (bounds !== null) {
    const source = bounds.printed ? "as printed" : "its low end by the address that faulted, its size by the release";
    const range = bounds.high === null ? `begins at ${hex(bounds.low)}` : `is ${hex(bounds.low)}-${hex(bounds.high)}`;
    evidence.add("stack-range", bounds.low, `The ${name} ${range} (${source}).`);
  }
  evidence.add(
    "overrun",
    overflow.touched,
    `${overflow.near === true ? "It was nearly used up" : "It ran over its low end"}: ${overflow.how}.`,
  );
  const onStack = framesOnStack(facts);
  const depth = bounds?.high == null || overflow.touched === null ? null : Number(bounds.high - bounds.low);
  const reason = overflowReason(facts, onStack, depth);
  const kind: VerdictKind = stack.kind === "task" || stack.kind === "extra" ? "stack-overflow" : "irq-stack-overflow";
  const size = depth === null ? "" : `${depth / 1024} KiB `;
  return textHypothesis({
    kind,
    cause: reason.cause,
    // That a stack ran out, the kernel found itself; how, is what the trace leaves open.
    weight: Math.max(0.5, overflow.weight * reason.share),
    summary: `The ${size}${name} ${overflow.near === true ? "was nearly used up" : "overflowed"}: ${reason.because}.`,
    why: overflow.how,
    culprit: reason.culprit,
    recursion: reason.recursion,
    stack:
      bounds?.high == null
        ? null
        : {
            kind: bounds.kind,
            low: hex(bounds.low),
            high: hex(bounds.high),
            usedBytes: Number(bounds.high - bounds.low),
          },
  });
}
