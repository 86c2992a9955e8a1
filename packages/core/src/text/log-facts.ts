/** The facts of one crash of a log, before any opinion on why. */
import { EvidenceLog } from "../diagnose/evidence.ts";
import type { ConsoleCrash, ConsoleLog, Headline, HeadlineKind } from "./console/report.ts";
import { isSoft } from "./console/severity.ts";
import { type FaultCode, readFaultCode } from "./fault-code.ts";
import { type LogFrames, logFrames } from "./log-frames.ts";

export interface LogFacts {
  readonly log: ConsoleLog;
  readonly crash: ConsoleCrash;
  /** Its statements, in the order of the log. */
  readonly headlines: readonly Headline[];
  readonly chain: LogFrames;
  /** Null without code bytes, or on another machine than x86_64. */
  readonly code: FaultCode | null;
  readonly arch: string | null;
  readonly release: string | null;
  readonly kasan: boolean;
  readonly evidence: EvidenceLog;
}

/** Statements that are about a stack. */
const OF_STACKS: ReadonlySet<HeadlineKind> = new Set<HeadlineKind>([
  "guard-page",
  "stack-overflow",
  "stack-protector",
  "stack-end",
  "stack-end-at-fault",
  "stack-low",
]);

/**
 * The crash that the verdict is about. The first is usually the cause of those behind it; a warning before it that the
 * machine survived is not.
 */
export function mainCrash(log: ConsoleLog): ConsoleCrash | null {
  const first = log.crashes.find((crash) => !isSoft(crash));
  if (first === undefined) {
    return (
      log.crashes.find((crash) => crash.headline.kind === "stack-low") ??
      log.crashes.find((crash) => crash.headline.kind !== "unwinder") ??
      log.crashes[0] ??
      null
    );
  }
  return first;
}

export function gatherLogFacts(log: ConsoleLog, crash: ConsoleCrash): LogFacts {
  const evidence = new EvidenceLog();
  const headlines = [crash.headline, ...crash.further];
  const { registers } = crash;
  const arch = crash.arch ?? log.arch ?? archInRelease(crash.release ?? log.release);
  const x86 = registers?.userMode === false && registers.registers.has("rsp");
  const code =
    crash.code !== null && registers !== null && x86 ? readFaultCode(crash.code, registers.pc?.offset ?? null) : null;
  return {
    log,
    crash,
    headlines,
    chain: logFrames(crash),
    code,
    arch,
    release: crash.release ?? log.release,
    kasan: headlines.some((one) => /\bKASAN\b/.test(one.text)),
    evidence,
  };
}

export function has(facts: LogFacts, kind: HeadlineKind): boolean {
  return facts.headlines.some((one) => one.kind === kind);
}

export function headlineOf(facts: LogFacts, kind: HeadlineKind): Headline | null {
  return facts.headlines.find((one) => one.kind === kind) ?? null;
}

/** Is one of the crash's statements about a stack? */
export function speaksOfStacks(facts: LogFacts): boolean {
  return facts.headlines.some((one) => OF_STACKS.has(one.kind));
}

/** Distributions put the machine into the release: "…el7.x86_64", "…-amd64". */
function archInRelease(release: string | null): string | null {
  if (release === null) return null;
  if (/x86_64|amd64/.test(release)) return "x86_64";
  if (/aarch64|arm64/.test(release)) return "aarch64";
  if (/ppc64le|powerpc64le/.test(release)) return "ppc64le";
  return /s390x/.test(release) ? "s390x" : null;
}
