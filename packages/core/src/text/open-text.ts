/** Text as evidence: what it is, which kernel it is of, and what it tells. */
import type { CrashedKernel } from "../changelog/crashed-version.ts";
import type { DebugFileFinder } from "../debuginfo/debug-file-finder.ts";
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import { parseConsole } from "./console/parse-console.ts";
import type { ConsoleCrash, ConsoleLog } from "./console/report.ts";
import { diagnoseSession } from "./crash-session/diagnose-session.ts";
import { parseSession } from "./crash-session/parse-session.ts";
import { gatherSessionFacts } from "./crash-session/session-facts.ts";
import { diagnoseLog, noCrash } from "./diagnose-log.ts";
import { mainCrash } from "./log-facts.ts";
import { logFrames } from "./log-frames.ts";
import { TextDebugInfo } from "./text-debug-info.ts";
import { namedPlace, type TextOptions } from "./text-diagnosis.ts";

export interface TextEvidence {
  readonly kind: "log" | "crash-session";
  /** The kernel that wrote it, as far as it says; empty strings where it does not. */
  readonly kernel: CrashedKernel;
  /** @throws SpillwayError `SPW_DEBUGINFO_MISMATCH`, `SPW_DEBUGINFO_EMPTY`, … for a debug file that the user named */
  diagnose(options?: TextOptions): Diagnosis;
}

/**
 * Reads text in which a kernel crashed, whatever stands around it.
 * @param path what the user named, for messages and `input.path`; "-" for standard input
 * @param debugFiles where debug information may be found, for source lines
 * @throws SpillwayError `SPW_TEXT_NO_CRASH`
 */
export function openText(text: string, path: string, debugFiles: DebugFileFinder | null = null): TextEvidence {
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
    diagnose: (options = {}) => diagnoseLog(log, crash, path, { ...resolver(log, crash, debugFiles), ...options }),
  };
}

function resolver(
  log: ConsoleLog,
  crash: ConsoleCrash,
  debugFiles: DebugFileFinder | null,
): Pick<TextOptions, "resolve"> {
  if (debugFiles === null) return {};
  const places = logFrames(crash).frames.flatMap((frame) => namedPlace(frame) ?? []);
  const info = new TextDebugInfo(debugFiles, crash.release ?? log.release ?? "", places);
  return { resolve: info.resolve };
}
