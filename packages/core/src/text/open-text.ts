/** Text as evidence: what it is, which kernel it is of, and what it tells. */
import type { CrashedKernel } from "../changelog/crashed-version.ts";
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import { parseConsole } from "./console/parse-console.ts";
import { diagnoseSession } from "./crash-session/diagnose-session.ts";
import { parseSession } from "./crash-session/parse-session.ts";
import { gatherSessionFacts } from "./crash-session/session-facts.ts";
import { diagnoseLog, noCrash } from "./diagnose-log.ts";
import { mainCrash } from "./log-facts.ts";
import type { TextOptions } from "./text-diagnosis.ts";

export interface TextEvidence {
  readonly kind: "log" | "crash-session";
  /** The kernel that wrote it, as far as it says; empty strings where it does not. */
  readonly kernel: CrashedKernel;
  diagnose(options?: TextOptions): Diagnosis;
}

/**
 * Reads text in which a kernel crashed, whatever stands around it.
 * @param path what the user named, for messages and `input.path`; "-" for standard input
 * @throws SpillwayError `SPW_TEXT_NO_CRASH`
 */
export function openText(text: string, path: string): TextEvidence {
  const session = parseSession(text);
  if (session !== null) {
    const facts = gatherSessionFacts(session, text);
    return {
      kind: "crash-session",
      kernel: { release: facts.log.release ?? "", banner: session.system.get("VERSION") ?? "" },
      diagnose: (options = {}) => diagnoseSession(facts, path, options),
    };
  }
  const log = parseConsole(text);
  const crash = mainCrash(log);
  if (crash === null) throw noCrash(path, log);
  return {
    kind: "log",
    kernel: { release: crash.release ?? log.release ?? "", banner: log.banner ?? crash.processLine ?? "" },
    diagnose: (options = {}) => diagnoseLog(log, crash, path, options),
  };
}
