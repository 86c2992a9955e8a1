/** From a pasted session of the crash utility to a verdict. */
import type { Diagnosis } from "../../diagnose/diagnosis.ts";
import { judgeLog } from "../diagnose-log.ts";
import { logDiagnosis, type TextOptions } from "../text-diagnosis.ts";
import { type TextHypothesis, textHypothesis } from "../text-hypothesis.ts";
import { frameGeometry } from "./frame-geometry.ts";
import { judgeDepth } from "./judge-depth.ts";
import { judgeGeometry } from "./judge-geometry.ts";
import { judgeSlot } from "./judge-slot.ts";
import type { SessionFacts } from "./session-facts.ts";

/** What else could be, where the check looked at the wrong place. */
function insteadOfMismatch(name: string): TextHypothesis[] {
  return [
    textHypothesis({
      kind: "return-address-corrupted",
      weight: 0.3,
      summary: `What brought the CPU into ${name}, or its saved RBP, was overwritten on the stack.`,
      why: "a return address or a saved RBP that was overwritten would take the CPU there too; the session does not show the words that were used",
    }),
    textHypothesis({
      kind: "stack-buffer-overflow",
      weight: 0.15,
      summary: `A buffer in the frame of ${name} was overrun.`,
      why: `it is what the panic message suggests, but the word that was checked is not the canary of ${name}`,
    }),
  ];
}

/** Geometry first, then what the slot holds; and the rules for logs, as far as these two leave room for them. */
export function diagnoseSession(facts: SessionFacts, path: string, options: TextOptions = {}): Diagnosis {
  const { log, session, task, detector } = facts;
  const said = session.system.get("PANIC")?.replaceAll(/^"|"$/g, "") ?? log.crash.headline.text;
  log.evidence.add("kernel-said", null, `The kernel said: ${said}`);
  const geometry = task === null || detector === null ? null : frameGeometry(session, task, detector);
  const judged: TextHypothesis[] = [];
  const mismatch = geometry === null ? null : judgeGeometry(facts, geometry);
  if (geometry !== null && mismatch !== null) {
    judged.push(mismatch, ...insteadOfMismatch(geometry.frame.function));
  } else if (geometry !== null) {
    judged.push(...judgeSlot(facts, geometry));
  } else if (detector !== null) {
    const name = task!.frames[detector]!.function;
    log.evidence.miss(
      `The code of ${name} up to its call of __stack_chk_fail (dis -r ${name}, whole) with the raw stack (bt -r): where its canary lies, and whether RBP was its own.`,
    );
  }
  // On a frame that is not its own the "slot" is any word: what logs are judged by has nothing to add.
  if (mismatch === null) {
    const depth = judgeDepth(facts);
    if (depth !== null) judged.push(depth);
    // What the stack's words say of a kind of crash stands above what the log alone would.
    const kinds = new Set(judged.map((one) => one.kind));
    judged.push(...judgeLog(log).filter((one) => !kinds.has(one.kind)));
  }
  log.evidence.miss("The dump itself: spillway reads it, and checks every frame that crash's bt only claims.");
  return logDiagnosis(log, judged, path, options, { kind: "crash-session", format: "crash" });
}
