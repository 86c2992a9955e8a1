/** The document of a diagnosis that rests on text. */

import type { AdviceContext } from "../advice/advice-input.ts";
import { advise } from "../advice/advise.ts";
import type { Diagnosis, DiagnosisFrame } from "../diagnose/diagnosis.ts";
import { hex } from "../diagnose/evidence.ts";
import { confidenceOf, ENOUGH, WORTH_SAYING } from "../diagnose/hypothesis.ts";
import type { ConfigFile } from "../kernel/kernel-options.ts";
import { configuredOptions } from "../kernel/option-state.ts";
import type { LogFacts } from "./log-facts.ts";
import type { LogFrame } from "./log-frames.ts";
import { logOptions } from "./log-options.ts";
import { type TextHypothesis, textHypothesis } from "./text-hypothesis.ts";

/** What turns a place of the code into one of the source; null where it does not know it. */
export type ResolvePlace = (place: {
  readonly function: string;
  readonly module: string | null;
  /** Bytes from the start of the function. */
  readonly offset: number;
  /** A return address: the call lies before it. */
  readonly afterCall: boolean;
}) => { readonly file: string; readonly line: number } | null;

export interface TextOptions {
  /** The kernel's configuration, for the advice. */
  readonly config?: ConfigFile;
  /** Debug information of the kernel that wrote the text, where there is some. */
  readonly resolve?: ResolvePlace;
}

/** Chooses among the explanations and writes the document. */
export function logDiagnosis(
  facts: LogFacts,
  judged: readonly TextHypothesis[],
  path: string,
  options: TextOptions,
  input: Pick<Diagnosis["input"], "kind" | "format"> = { kind: "log", format: "console" },
): Diagnosis {
  const all = [...judged].sort((a, b) => b.weight - a.weight);
  const best = all[0] !== undefined && all[0].weight >= ENOUGH ? all[0] : undecided(all[0]);
  const others = all.filter(
    (one, index) =>
      one.kind !== best.kind &&
      one.weight >= WORTH_SAYING &&
      all.findIndex((other) => other.kind === one.kind) === index,
  );
  const { crash, chain, evidence } = facts;
  const document: Omit<Diagnosis, "advice"> = {
    schema: "spillway/diagnosis@1",
    input: { ...input, path },
    kernel: { release: facts.release, arch: facts.arch, crashTime: null },
    panic: {
      message: crash.headline.text,
      cpu: crash.cpu,
      pid: crash.pid,
      comm: crash.comm,
      task: null,
    },
    verdict: {
      kind: best.kind,
      cause: best.cause,
      confidence: confidenceOf(best.weight),
      summary: best.summary,
      culprit: best.culprit === null ? null : { ...best.culprit, ...culpritSource(facts, best.culprit, options) },
    },
    alternatives: others.map((one) => ({ kind: one.kind, confidence: confidenceOf(one.weight), why: one.why })),
    stack: best.stack,
    frames: chain.frames.map((frame) => frameOf(frame, crash.interleaved)),
    recursion: best.recursion,
    stale: chain.stale.flatMap((entry) =>
      entry.function === null ? [] : [{ function: entry.function, sp: entry.sp === null ? null : hex(entry.sp) }],
    ),
    corruption: best.corruption,
    evidence: evidence.items,
    missing: evidence.missing,
  };
  return { ...document, advice: advise(document, adviceContext(facts, options)) };
}

function adviceContext(facts: LogFacts, options: TextOptions): AdviceContext {
  const { crash } = facts;
  const { config } = options;
  return {
    options: config === undefined ? logOptions(facts) : configuredOptions(config.config, config.name),
    taintedModules: crash.taintedModules,
    taints: crash.taints,
    log: () => facts.log.crashes.flatMap((one) => [one.headline.text, one.processLine ?? ""]),
    dumpLevel: null,
    imageProblems: [],
    leads: {},
  };
}

function undecided(leaning: TextHypothesis | undefined): TextHypothesis {
  return textHypothesis({
    kind: "undetermined",
    weight: 0.5,
    summary:
      leaning === undefined
        ? "What is in the log does not tell what happened."
        : `What is in the log does not decide it; ${leaning.kind} is the best guess.`,
    why: "",
    culprit: leaning?.culprit ?? null,
  });
}

/** Why a frame of a log is no more than inferred. */
const BY_UNWINDER = "the kernel's own unwinder vouches for it; the stack itself is not in the log";
const BY_CRASH = "crash printed it, and crash goes by what looks like a return address; the session does not prove it";
const MIXED = "printed while several CPUs wrote at once; it may be another CPU's";

function frameOf(frame: LogFrame, interleaved: boolean): DiagnosisFrame {
  const proven = (frame.source === "registers" || frame.source === "call-site") && !interleaved;
  return {
    function: frame.function,
    module: frame.module,
    offset: frame.offset,
    address: frame.address === null ? null : hex(frame.address),
    sp: frame.sp === null ? null : hex(frame.sp),
    certainty: proven ? "proven" : "inferred",
    inlined: frame.inlined,
    why: proven ? null : interleaved ? MIXED : frame.source === "crash" ? BY_CRASH : BY_UNWINDER,
  };
}

function culpritSource(
  facts: LogFacts,
  culprit: NonNullable<TextHypothesis["culprit"]>,
  options: TextOptions,
): { file: string | null; line: number | null } {
  const frame = facts.chain.frames.find((one) => one.function === culprit.function && one.module === culprit.module);
  const printed = frame ?? facts.headlines.find((one) => one.at?.function === culprit.function)?.at ?? null;
  if (printed === null) return { file: null, line: null };
  if (printed.file !== null) return { file: printed.file, line: printed.codeLine };
  if (options.resolve === undefined || printed.offset === null) return { file: null, line: null };
  const afterCall = frame === undefined || !frame.interrupted;
  return (
    options.resolve({ function: culprit.function, module: culprit.module, offset: printed.offset, afterCall }) ?? {
      file: null,
      line: null,
    }
  );
}
