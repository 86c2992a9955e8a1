/** Hypotheses beside overflow and canary: a sound stack, an overwritten stack end, a corrupted return address. */
import { type CrashFacts, type Fault, frameName } from "./facts.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";
import { judgePastOverflow } from "./judge-past-overflow.ts";
import { judgeReturn } from "./judge-return.ts";
import { judgeStackEnd } from "./judge-stack-end.ts";
import { judgeStackPointer } from "./judge-stack-pointer.ts";
import { checkStackHealth, type StackHealth } from "./stack-health.ts";

/** @param explained an overflow or failed canary check is already established */
export function judgeOther(facts: CrashFacts, explained: boolean): Hypothesis[] {
  const health = checkStackHealth(facts);
  const judged: Hypothesis[] = [];
  if (health.stackEnd === "overwritten" && !explained) judged.push(judgeStackEnd(facts));
  const past = explained ? null : judgePastOverflow(facts, health);
  if (past !== null) judged.push(past);
  const lost = explained ? null : judgeStackPointer(facts);
  if (lost !== null) judged.push(lost);
  const returned = explained || lost !== null ? [] : judgeReturn(facts);
  judged.push(...returned);
  if (facts.frames.length > 0 && !explained) judged.push(notStackRelated(facts, health, returned.length > 0));
  return judged;
}

const FAULTS: Record<Fault["kind"], string> = {
  "double-fault": "a double fault",
  "page-fault": "a bad memory access",
  "invalid-opcode": "a BUG() or invalid instruction",
  "general-protection": "a general protection fault",
  other: "an exception",
};

function notStackRelated(facts: CrashFacts, health: StackHealth, astray: boolean): Hypothesis {
  const { fault, panicCaller, frames } = facts;
  const sound =
    !astray &&
    health.chainProven &&
    health.stackEnd !== "overwritten" &&
    health.brokenCanaries.length === 0 &&
    health.spInRange;
  const culprit =
    fault?.frame.function != null
      ? fault.frame
      : fault !== null
        ? (frames[fault.index + 1] ?? null)
        : panicCaller === null
          ? null
          : frames[panicCaller]!;
  const where = culprit === null ? "" : ` in ${frameName(culprit)}`;
  const what = fault === null ? `panic() was called${where}` : `${FAULTS[fault.kind]}${where}`;
  return hypothesis({
    kind: "not-stack-related",
    weight: sound ? 0.95 : fault?.kind === "double-fault" ? 0.1 : 0.3,
    summary: sound ? `The stack is whole; the cause is ${what}.` : `The cause may be ${what}, apart from the stack.`,
    why: sound
      ? "every frame is proven, the stack's end and its canaries are intact"
      : "the crash has a cause of its own, though the stack is not whole",
    culprit,
    stack: culprit?.stack ?? frames[0]?.stack ?? null,
  });
}
