/** The document of a diagnosis that rests on text. */

import type { AdviceContext } from "../advice/advice-input.ts";
import { advise } from "../advice/advise.ts";
import type { SourceFrame } from "../debuginfo/debug-info.ts";
import type { Diagnosis, DiagnosisFrame } from "../diagnose/diagnosis.ts";
import { hex } from "../diagnose/evidence.ts";
import { addFrameSources, type FrameSources } from "../diagnose/frame-sources.ts";
import { confidenceOf, ENOUGH, WORTH_SAYING } from "../diagnose/hypothesis.ts";
import type { ConfigFile } from "../kernel/kernel-options.ts";
import { configuredOptions } from "../kernel/option-state.ts";
import type { LogFacts } from "./log-facts.ts";
import type { LogFrame } from "./log-frames.ts";
import { logOptions } from "./log-options.ts";
import type { NamedPlace, ResolvePlace } from "./text-debug-info.ts";
import { type TextHypothesis, textHypothesis } from "./text-hypothesis.ts";

export interface TextOptions {
  /** The kernel's configuration, for the advice. */
  readonly config?: ConfigFile;
  /** Where places of the code are in the source, if not by the debug files that the text was opened with. */
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
  const diagnosis = { ...document, advice: advise(document, adviceContext(facts, options)) };
  return addFrameSources(diagnosis, sourcesOf(chain.frames, options));
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

/** The functions of the source at each frame: as a symbolizer printed them into the log, or by debug information. */
function sourcesOf(frames: readonly LogFrame[], options: TextOptions): FrameSources | null {
  const sources = frames.map((frame) => sourceOf(frame, options));
  return sources.some((found) => found.length > 0) ? sources : null;
}

function sourceOf(frame: LogFrame, options: TextOptions): readonly SourceFrame[] {
  if (frame.file !== null && frame.codeLine !== null) {
    const location = { file: frame.file, line: frame.codeLine, column: null };
    return [{ function: frame.function, inlined: false, location, declared: null }];
  }
  const place = namedPlace(frame);
  return place === null ? [] : (options.resolve?.(place) ?? []);
}

/** The place as debug information is asked for it; null where the log does not say how far into which function it is. */
export function namedPlace(frame: LogFrame): NamedPlace | null {
  const { module, offset, size } = frame;
  if (frame.function === null || offset === null || frame.inlined) return null;
  return { function: frame.function, module, offset, size, afterCall: !frame.interrupted };
}

function culpritSource(
  facts: LogFacts,
  culprit: NonNullable<TextHypothesis["culprit"]>,
  options: TextOptions,
): { file: string | null; line: number | null } {
  const { frames } = facts.chain;
  const index = frames.findIndex((one) => one.function === culprit.function && one.module === culprit.module);
  const stated = facts.headlines.find((one) => one.at?.function === culprit.function)?.at ?? null;
  const frame = frames[index] ?? (stated === null ? null : { ...stated, ...AT_RETURN });
  const own = frame === null ? null : (sourceOf(frame, options).at(-1) ?? null);
  // The call of the failed check has the line of the function's closing brace.
  const checked = frames[index - 1]?.function === "__stack_chk_fail" || (index < 0 && stated !== null);
  const location = checked ? (own?.declared ?? own?.location) : (own?.location ?? own?.declared);
  return { file: location?.file ?? null, line: location?.line ?? null };
}

const AT_RETURN = { marker: null, sp: null, interrupted: false, inlined: false, source: "unwinder" } as const;
