/** Text as evidence: what it is, which kernel it is of, and what it tells. */
import type { CrashedKernel } from "../changelog/crashed-version.ts";
import type { DebugFileFinder } from "../debuginfo/debug-file-finder.ts";
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import { parseConsole } from "./console/parse-console.ts";
import { diagnoseSession } from "./crash-session/diagnose-session.ts";
import { parseSession } from "./crash-session/parse-session.ts";
import { gatherSessionFacts } from "./crash-session/session-facts.ts";
import { diagnoseLog, noCrash } from "./diagnose-log.ts";
import { mainCrash } from "./log-facts.ts";
import { type LogFrame, logFrames } from "./log-frames.ts";
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
      diagnose: (options = {}) => {
        const { chain, release } = facts.log;
        return diagnoseSession(facts, path, { ...resolver(chain.frames, release ?? "", debugFiles), ...options });
      },
    };
  }
  const log = parseConsole(text);
  const crash = mainCrash(log);
  if (crash === null) throw noCrash(path, log);
  const release = crash.release ?? log.release ?? "";
  return {
    kind: "log",
    kernel: { release, banner: log.banner ?? crash.processLine ?? "" },
    diagnose: (options = {}) => {
      const { frames } = logFrames(crash);
      return diagnoseLog(log, crash, path, { ...resolver(frames, release, debugFiles), ...options });
    },
  };
}

function resolver(
  frames: readonly LogFrame[],
  release: string,
  debugFiles: DebugFileFinder | null,
): Pick<TextOptions, "resolve"> {
  if (debugFiles === null) return {};
  const places = frames.flatMap((frame) => namedPlace(frame) ?? []);
  return { resolve: new TextDebugInfo(debugFiles, release, places).resolve };
}
