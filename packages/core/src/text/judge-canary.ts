/** Explanations of a failed canary check and of an overwritten stack end, of which a log says only that they were found. */
import { hex } from "../diagnose/evidence.ts";
import { headlineOf, type LogFacts } from "./log-facts.ts";
import type { LogFrame } from "./log-frames.ts";
import { placeName, sameFunction } from "./place-name.ts";
import { type TextHypothesis, textHypothesis } from "./text-hypothesis.ts";
import { culpritOf, findTextCycle } from "./text-recursion.ts";

/** The function whose check failed: as the panic names it, or as the trace has it above __stack_chk_fail. */
function detectorOf(
  facts: LogFacts,
): { frame: Pick<LogFrame, "function" | "module" | "offset" | "address">; index: number } | null {
  const { frames } = facts.chain;
  const named = headlineOf(facts, "stack-protector")?.at ?? null;
  const above = frames.findIndex((frame) => frame.function === "__stack_chk_fail") + 1;
  if (named?.function != null) {
    const index = frames.findIndex((frame) => sameFunction(frame, named));
    return { frame: named, index };
  }
  const byAddress = named?.address == null ? -1 : frames.findIndex((frame) => frame.address === named.address);
  const index = byAddress >= 0 ? byAddress : above > 0 && above < frames.length ? above : -1;
  if (index >= 0) return { frame: frames[index]!, index };
  const stale = facts.chain.stale.find((entry) => named?.address != null && entry.address === named.address);
  return stale === undefined ? null : { frame: stale, index: -1 };
}

/**
 * Did the check itself call panic()? Anybody may panic with the same words. Where the trace does not show panic()'s caller,
 * the message is believed.
 */
function panickedIn(facts: LogFacts, checker: RegExp): boolean {
  const { frames } = facts.chain;
  const panic = frames.findIndex((frame) => frame.function === "panic" || frame.function === "vpanic");
  const caller = panic < 0 ? null : frames.slice(panic + 1).find((frame) => frame.function !== "panic");
  if (caller?.function == null || checker.test(caller.function)) return true;
  // A call of panic() that is the last thing in the check leaves a return address behind its end: crash shows its caller.
  const named = facts.chain.trace?.by === "crash" ? (headlineOf(facts, "stack-protector")?.at ?? null) : null;
  if (named !== null && (sameFunction(caller, named) || (named.address !== null && caller.address === named.address))) {
    return true;
  }
  facts.evidence.add(
    "panic-caller",
    null,
    `panic() was called by ${placeName(caller)}, not by the check that these words belong to.`,
  );
  return false;
}

export function judgeCanary(facts: LogFacts): TextHypothesis[] {
  const headline = headlineOf(facts, "stack-protector");
  if (headline === null || !panickedIn(facts, /stack_chk_fail/)) return [];
  const { evidence, chain } = facts;
  const detector = detectorOf(facts);
  const name = detector === null ? "a function" : placeName(detector.frame);
  const culprit =
    detector?.frame.function == null ? null : { function: detector.frame.function, module: detector.frame.module };
  evidence.add("canary-check", headline.at?.address ?? null, `The canary check at the end of ${name} failed.`);
  const callers = detector === null || detector.index < 0 ? 0 : chain.frames.length - detector.index - 1;
  if (chain.trace?.by === "crash") {
    // crash goes by what looks like a return address: that it found some vouches for nothing.
  } else if (callers > 0 && chain.complete) {
    evidence.add(
      "chain-behind",
      null,
      `The kernel's unwinder went on from ${name} through ${callers} callers to the stack's end: the return addresses are whole.`,
    );
  } else if (detector !== null && detector.index >= 0) {
    evidence.add(
      "chain-behind",
      null,
      `Behind ${name} the unwinder vouches for ${callers === 0 ? "no caller" : `only ${callers} callers`}: what was overwritten may reach its return address.`,
    );
  }
  evidence.miss(
    "What the canary's slot holds, and what lies around it: a dump tells an overrun buffer from a stray write, a wrong frame, or a changed reference.",
  );
  evidence.miss("Which buffer was overrun, and whether by the function itself or by one that it handed its buffer to.");
  return [
    textHypothesis({
      kind: "stack-buffer-overflow",
      weight: 0.6,
      summary: `The canary check of ${name} failed: most often a buffer in its frame was overrun, by itself or by a function it called.`,
      why: "an overrun buffer is what mostly breaks a canary",
      culprit,
    }),
    textHypothesis({
      kind: "foreign-write",
      weight: 0.3,
      summary: `Something outside ${name} wrote over its canary.`,
      why: "another CPU, a device or a pointer kept too long can have written to this stack; a log does not show what the slot holds",
    }),
    textHypothesis({
      kind: "frame-mismatch",
      weight: 0.25,
      summary: `The canary check of ${name} read a word that is not its own slot.`,
      why: "where the check read its slot is not in a log: a stray jump or a lost frame register fails it too",
    }),
    textHypothesis({
      kind: "reference-canary-changed",
      weight: 0.15,
      summary: "The reference that the canary is compared with was changed.",
      why: "the per-CPU reference is not in a log",
    }),
  ];
}

/** Scheduler functions, in which the word at the stack's end is looked at. */
const SCHEDULER =
  /^(?:dump_stack\w*|show_stack|dump_backtrace|panic|vpanic|__schedule\w*|schedule\w*|preempt_schedule\w*|_?_?cond_resched\w*|retint_kernel|asm_sysvec_\w+|sysvec_\w+|irqentry_\w+|raw_irqentry_\w+|wait_for_completion\w*|io_schedule\w*)(?:\.\w+)*$/;

export function judgeStackEnd(facts: LogFacts): TextHypothesis[] {
  const scheduler = headlineOf(facts, "stack-end");
  const atFault = headlineOf(facts, "stack-end-at-fault");
  if (scheduler === null && atFault === null) return [];
  if (atFault === null && !panickedIn(facts, SCHEDULER)) return [];
  const { evidence, chain, crash } = facts;
  const where = scheduler !== null ? "the scheduler looked at it" : "a fault was reported";
  evidence.add("stack-end", null, `The magic word at the low end of the task's stack was overwritten when ${where}.`);
  const own = chain.frames.filter((frame) => frame.function !== null && !SCHEDULER.test(frame.function));
  if (own[0] !== undefined) {
    const outer = own.slice(-4).map((frame) => frame.function);
    evidence.add(
      "task-was-in",
      null,
      `The task was in ${placeName(own[0])}${crash.workqueue === null ? "" : `, working for ${crash.workqueue}`}; its chain begins with ${outer.reverse().join(" -> ")}.`,
    );
  }
  const depth = depthOf(facts);
  if (depth !== null) evidence.add("stack-depth", depth.sp, depth.text);
  evidence.miss(
    "Whether the stack itself grew to its end, or something else wrote there: a dump shows how deep it was used.",
  );
  const cycle = findTextCycle(own);
  const judged: TextHypothesis[] = [
    textHypothesis({
      kind: "stack-end-corrupted",
      weight: cycle === null ? (atFault === null ? 0.8 : 0.7) : 0.4,
      summary:
        "The magic word at the low end of the task's stack is overwritten: the stack was used up at some time before, or something wrote there.",
      why: "the kernel found STACK_END_MAGIC gone, and reports no guard page that was hit",
    }),
  ];
  if (cycle !== null) {
    const culprit = culpritOf(cycle);
    evidence.add("recursion", null, `${cycle.functions.join(" <- ")} repeats ${cycle.turns} times in the trace.`);
    judged.push(
      textHypothesis({
        kind: "stack-overflow",
        cause: "recursion",
        weight: 0.75,
        summary: `The task's stack overflowed: ${cycle.functions.join(" <- ")} call each other, ${cycle.turns} turns in the trace.`,
        why: "the trace is full of recursion, and the stack's end is overwritten",
        culprit: { function: culprit.function!, module: culprit.module },
      }),
    );
  } else {
    judged.push(
      textHypothesis({
        kind: "stack-overflow",
        cause: chain.frames.length >= 20 ? "deep-call-chain" : null,
        weight: depth?.deep ? 0.6 : 0.45,
        summary: "The task's stack was used up.",
        why: `without a guard page (no VMAP_STACK) an overflow goes unnoticed until the scheduler looks; the chain has ${chain.frames.length} frames`,
      }),
    );
  }
  return judged;
}

/** How deep the stack was used when it was interrupted, from the registers within the trace. */
function depthOf(facts: LogFacts): { sp: bigint; text: string; deep: boolean } | null {
  if (facts.arch !== "x86_64") return null;
  const interrupted = facts.chain.frames.find((frame) => frame.interrupted && frame.sp !== null);
  const sp = interrupted?.sp ?? null;
  if (sp === null) return null;
  const size = facts.kasan ? 32768n : 16384n;
  const left = sp % size;
  const deep = left < size / 4n;
  const text = `When it was interrupted in ${placeName(interrupted!)}, RSP was ${hex(sp)}: ${left} bytes above a multiple of ${size}, where a stack of that size begins.`;
  return { sp, text, deep };
}
