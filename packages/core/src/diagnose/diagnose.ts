/** From a kernel's last state to a verdict: facts first, then hypotheses that compete for them. */
import { advise } from "../advice/advise.ts";
import { kernelAdvice } from "../advice/kernel-advice.ts";
import type { Kernel, StackRange } from "../kernel/kernel.ts";
import type { ConfigFile } from "../kernel/kernel-options.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { staleReturnsOf } from "../unwind/unwind.ts";
import { nameDamagedVariable } from "./damaged-variable.ts";
import type { Culprit, Diagnosis, DiagnosisFrame } from "./diagnosis.ts";
import { hex } from "./evidence.ts";
import { type CrashFacts, gatherFacts } from "./facts.ts";
import { addFrameSources, type FrameSources, frameSources, locateCulprit } from "./frame-sources.ts";
import { confidenceOf, ENOUGH, type Hypothesis, hypothesis, WORTH_SAYING } from "./hypothesis.ts";
import { judgeCanary } from "./judge-canary.ts";
import { judgeOther } from "./judge-other.ts";
import { judgeOverflow } from "./judge-overflow.ts";
import { sayPoolState } from "./pool-state.ts";

export interface DiagnoseOptions {
  /** What the user named, for `input.path`. */
  readonly path: string;
  /** The kernel's configuration, for the advice; used where the kernel does not carry its own. */
  readonly config?: ConfigFile;
}

/** Diagnoses the crash that a dump holds. What is missing is said in the document; only a defect throws. */
export function diagnose(kernel: Kernel, options: DiagnoseOptions): Diagnosis {
  const facts = gatherFacts(kernel);
  const overflow = judgeOverflow(facts);
  const canary = overflow.length === 0 ? judgeCanary(facts) : [];
  const explained = overflow.length > 0 || canary.some((one) => one.weight >= ENOUGH);
  const all = [...overflow, ...canary, ...judgeOther(facts, explained || facts.detector !== null)];
  all.sort((a, b) => b.weight - a.weight);
  const best = all[0] !== undefined && all[0].weight >= ENOUGH ? all[0] : undetermined(facts, all);
  const sources = frameSources(kernel, facts.frames);
  sayPoolState(facts);
  const culprit = culpritOf(facts, best, sources);
  const corruption = nameDamagedVariable(facts, best);
  for (const problem of kernel.problems) facts.evidence.miss(problem);
  for (const problem of kernel.image.problems) facts.evidence.miss(problem.message);
  const document = documentOf(
    facts,
    { ...best, corruption },
    culprit,
    all.filter((one) => one !== best && one.weight >= WORTH_SAYING),
    options,
  );
  return addFrameSources(document, sources);
}

function culpritOf(facts: CrashFacts, best: Hypothesis, sources: FrameSources | null): Culprit | null {
  if (best.culprit?.function == null) return null;
  const named = { function: best.culprit.function, module: best.culprit.module };
  return { ...named, ...locateCulprit(facts.kernel, named, facts.frames, sources) };
}

function undetermined(facts: CrashFacts, all: readonly Hypothesis[]): Hypothesis {
  const leaning = all[0];
  const summary =
    facts.frames.length === 0
      ? "The crashed task's frames could not be read; there is nothing to judge by."
      : leaning === undefined
        ? "What is in the dump does not tell what happened."
        : `What is in the dump does not decide it; ${leaning.kind} is the best guess.`;
  return hypothesis({
    kind: "undetermined",
    weight: 0.5,
    summary,
    why: "",
    stack: leaning?.stack ?? facts.frames[0]?.stack ?? null,
    corruption: leaning?.corruption ?? null,
  });
}

function documentOf(
  facts: CrashFacts,
  best: Hypothesis,
  culprit: Culprit | null,
  alternatives: readonly Hypothesis[],
  options: DiagnoseOptions,
): Diagnosis {
  const { kernel, task, trace } = facts;
  const document: Omit<Diagnosis, "advice"> = {
    schema: "spillway/diagnosis@1",
    input: { kind: "vmcore", format: kernel.image.format, path: options.path },
    kernel: { release: kernel.release, arch: kernel.machine, crashTime: kernel.crashTime },
    panic: {
      message: kernel.panic.message,
      cpu: kernel.panic.cpu ?? trace.cpu,
      pid: task?.pid ?? null,
      comm: task?.comm ?? null,
      task: task === null ? null : hex(task.address),
    },
    verdict: {
      kind: best.kind,
      cause: best.cause,
      confidence: confidenceOf(best.weight),
      summary: best.summary,
      culprit,
    },
    alternatives: alternatives.map((one) => ({ kind: one.kind, confidence: confidenceOf(one.weight), why: one.why })),
    stack: stackOf(facts, best),
    frames: facts.frames.map(frameOf),
    recursion:
      best.cycle === null
        ? null
        : {
            functions: best.cycle.cycle.functions,
            firstFrame: best.cycle.offset + best.cycle.cycle.first,
            turns: best.cycle.cycle.turns,
            bytesPerTurn: best.cycle.cycle.bytesPerTurn,
          },
    stale: staleReturnsOf(kernel, trace).map((stale) => ({ function: stale.function, sp: hex(stale.slot) })),
    corruption: best.corruption,
    evidence: facts.evidence.items,
    missing: facts.evidence.missing,
  };
  return { ...document, advice: advise(document, kernelAdvice(kernel, best.leads, options.config)) };
}

function frameOf(frame: Frame): DiagnosisFrame {
  return {
    function: frame.function,
    module: frame.module,
    offset: frame.offset,
    address: hex(frame.address),
    sp: hex(frame.sp),
    certainty: frame.certainty,
    inlined: false,
    why: frame.why,
  };
}

function stackOf(facts: CrashFacts, best: Hypothesis): Diagnosis["stack"] {
  const stack: StackRange | null = best.stack ?? facts.frames[0]?.stack ?? null;
  if (stack === null) return null;
  return {
    kind: stack.kind,
    low: hex(stack.low),
    high: hex(stack.high),
    usedBytes: best.usedBytes ?? usedBytes(facts.frames, stack),
  };
}

/** From the deepest RSP among the frames on a stack to its top. */
function usedBytes(frames: readonly Frame[], stack: StackRange): number {
  let lowest = stack.high;
  for (const frame of frames) {
    if (frame.stack?.low === stack.low && frame.sp < lowest && frame.sp >= stack.low) lowest = frame.sp;
  }
  return Number(stack.high - lowest);
}
