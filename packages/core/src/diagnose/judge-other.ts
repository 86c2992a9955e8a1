/** Hypotheses beside overflow and canary: a sound stack, an overwritten stack end, a corrupted return address. */
import { callSitesIn } from "../code/call-site.ts";
import { equalBytes } from "../unwind/candidates.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, type Fault, frameName } from "./facts.ts";
import { type Hypothesis, hypothesis } from "./hypothesis.ts";
import { judgePastOverflow } from "./judge-past-overflow.ts";
import { findStackEndWriter } from "./stack-end-writer.ts";
import { checkStackHealth, type StackHealth } from "./stack-health.ts";

/** @param explained an overflow or failed canary check is already established */
export function judgeOther(facts: CrashFacts, explained: boolean): Hypothesis[] {
  const health = checkStackHealth(facts);
  const judged: Hypothesis[] = [];
  if (health.stackEnd === "overwritten" && !explained) {
    const writer = findStackEndWriter(facts);
    judged.push(
      hypothesis({
        kind: "stack-end-corrupted",
        weight: writer === null ? 0.85 : 0.9,
        summary:
          writer === null
            ? "The magic word at the low end of the task's stack is overwritten."
            : `The magic word at the low end of the task's stack is overwritten: ${writer.module === null ? writer.function : `${writer.function} [${writer.module}]`} is given that address and writes there.`,
        culprit: writer,
        why: "STACK_END_MAGIC is gone, and no guard page was hit",
        stack: taskStack(facts),
      }),
    );
  }
  const past = explained ? null : judgePastOverflow(facts, health);
  if (past !== null) judged.push(past);
  const returned = corruptedReturn(facts);
  if (returned !== null && !explained) judged.push(returned);
  if (facts.frames.length > 0 && !explained) judged.push(notStackRelated(facts, health, returned !== null));
  return judged;
}

function taskStack(facts: CrashFacts) {
  const low = facts.task?.stack;
  return low == null ? null : (facts.kernel.stacks().find((stack) => stack.low === low) ?? null);
}

/** A link broken at the very place where the CPU went astray. */
function corruptedReturn(facts: CrashFacts): Hypothesis | null {
  const { trace, fault, evidence, frames } = facts;
  const { broken, returned } = trace;
  if (broken === null) return strayReturn(facts);
  // Where the slot cannot be read nobody knows what it holds.
  if (broken.cfa !== null && broken.found === null) return null;
  if (broken.dynamic === true || broken.cfa === null || fault === null || trace.brokenFrame !== fault.index)
    return null;
  const slot = broken.cfa - 8n;
  const caller = frames[fault.index + 1];
  const was = caller !== undefined && trace.gap === null ? caller.address : null;
  if (broken.found !== null) {
    const should = was === null || was === broken.found ? "" : ` instead of ${hex(was)}`;
    evidence.add("return-address", slot, `The return address at ${hex(slot)} was ${hex(broken.found)}${should}.`);
  }
  const whose = broken.callee ?? returned;
  const name = whose === null ? "a function" : whose.module === null ? whose.name : `${whose.name} [${whose.module}]`;
  const went =
    broken.callee === null
      ? `${name} returned to ${hex(broken.found ?? 0n)}, where there is no code`
      : `the return address of ${name} is not one that its call can have left`;
  return hypothesis({
    kind: "return-address-corrupted",
    weight: whose === null ? 0.6 : 0.8,
    summary: `A return address was overwritten: ${went}.`,
    why: broken.reason,
    culprit: whose === null ? null : { function: whose.name, module: whose.module },
    stack: caller?.stack ?? fault.frame.stack,
  });
}

/** Bytes that a changed return address still shares with the true one. */
const SHARED_BYTES = 7;

/**
 * The CPU stood between two instructions' starts: no jump of the compiler's leads there. Where one call in the same
 * function, at the same stack depth, returns to nearly that address, its return address was changed.
 */
function strayReturn(facts: CrashFacts): Hypothesis | null {
  const { fault, context, evidence } = facts;
  if (fault === null) return null;
  const { frame } = fault;
  const code = context.reader.functionAt(frame.address);
  if (code === null || code.indexAt(frame.address) >= 0) return null;
  evidence.add(
    "mid-instruction",
    frame.address,
    `RIP is ${hex(frame.address)}, inside an instruction of ${frameName(frame)}: nothing jumps there.`,
  );
  const near = callSitesIn(context.reader, frame.address).find(
    (site) => equalBytes(site.returnAddress, frame.address) >= SHARED_BYTES,
  );
  const callee = near?.target == null ? null : context.functionAt(near.target);
  if (near !== undefined) {
    evidence.add(
      "near-return",
      near.returnAddress,
      `A call of ${callee?.name ?? "a function"} returns to ${hex(near.returnAddress)}, one byte different.`,
    );
  }
  return hypothesis({
    kind: "return-address-corrupted",
    weight: near === undefined ? 0.55 : 0.8,
    summary:
      near === undefined
        ? `The CPU came into the middle of an instruction of ${frameName(frame)}: a return address or a jump was wrong.`
        : `${callee?.name ?? "A function"} returned into the middle of an instruction of ${frameName(frame)}: one byte of its return address was changed.`,
    why: "RIP is not at the start of an instruction",
    culprit: callee === null ? null : { function: callee.name, module: callee.module },
    stack: frame.stack,
  });
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
