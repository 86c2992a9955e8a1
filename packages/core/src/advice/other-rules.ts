/** No stack trouble, or none that could be told. */
import { type CrashCase, hex, nameOf } from "./crash-case.ts";
import type { Rule } from "./rule.ts";

function sound(crash: CrashCase): boolean {
  return crash.verdict.kind === "not-stack-related";
}

function culpritIs(crash: CrashCase, name: string): boolean {
  return crash.verdict.culprit?.function === name;
}

function detectorPanic(crash: CrashCase): "hung" | "lockup" | null {
  const message = crash.findings.panic.message ?? "";
  if (/hung_task/.test(message)) return "hung";
  return /soft lockup|hard LOCKUP|softlockup|rcu.*stall/i.test(message) ? "lockup" : null;
}

const asked: Rule = {
  id: "asked-for",
  say: (crash) =>
    sound(crash) && culpritIs(crash, "sysrq_handle_crash")
      ? "This crash was asked for (sysrq c): whoever did knows why; the log before it may tell (log)."
      : null,
};

const hungTask: Rule = {
  id: "hung-task",
  say: (crash) =>
    sound(crash) && detectorPanic(crash) === "hung"
      ? "The task that panicked only reports: the log names the one that waits, which is in state UN (ps), and its stack tells for what (bt)."
      : null,
};

const lockup: Rule = {
  id: "lockup",
  say: (crash) =>
    sound(crash) && detectorPanic(crash) === "lockup"
      ? "The detector panicked on a CPU that made no progress: what each CPU was doing is in bt -a."
      : null,
};

const fromTheFault: Rule = {
  id: "from-the-fault",
  say(crash) {
    if (!sound(crash) || culpritIs(crash, "sysrq_handle_crash") || detectorPanic(crash) !== null) return null;
    if (crash.verdict.confidence === "possible") return null;
    const { culprit } = crash.verdict;
    const frame = culprit === null ? undefined : crash.findings.frames.find((one) => one.function === culprit.function);
    const nothing = "Spillway has nothing more to say: this is no matter of the stack.";
    if (frame?.address == null) return nothing;
    const at = frame.offset === null ? "" : `+${hex(BigInt(frame.offset))}`;
    return `${nothing} Go on from ${nameOf(frame)}${at}: dis -r ${frame.address} shows the code up to there.`;
  },
};

/** What an undetermined case lacks, in the order in which it helps. */
const capture: Rule = {
  id: "capture",
  say(crash) {
    if (crash.verdict.kind !== "undetermined") return null;
    if (crash.findings.input.kind !== "vmcore") return null;
    if (crash.findings.frames.length === 0) {
      return "The crashed CPU's registers and stack are what is missing: kdump saves both; a dump that was taken from outside must be one with the guest stopped in panic (QEMU: dump-guest-memory).";
    }
    const [most] = crash.findings.missing;
    return most === undefined ? null : `Missing first of all: ${most.replace(/\.$/, "")}.`;
  },
};

export const OTHER_RULES: readonly Rule[] = [asked, hungTask, lockup, fromTheFault, capture];
