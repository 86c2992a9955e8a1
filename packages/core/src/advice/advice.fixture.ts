/** Findings and what is known besides, made up for the tests of the rules. */
import type { DiagnosisFrame, VerdictKind } from "../diagnose/diagnosis.ts";
import { noOptions } from "../kernel/option-state.ts";
import type { AdviceContext, Findings } from "./advice-input.ts";

export const LOW = 0xffffc90000010000n;
export const SIZE = 16384n;

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Frames from the innermost outwards, "name" or "name@module", each with its bytes. */
export function chain(...frames: readonly (readonly [string, number])[]): DiagnosisFrame[] {
  let sp = LOW + SIZE - 168n - BigInt(frames.reduce((sum, [, bytes]) => sum + bytes, 0));
  return frames.map(([code, bytes], index) => {
    const [name, module] = code.split("@");
    const frame: DiagnosisFrame = {
      function: name!,
      module: module ?? null,
      offset: 16,
      address: hex(0xffffffff81000010n + BigInt(index) * 256n),
      sp: hex(sp),
      certainty: "proven",
      inlined: false,
      why: null,
    };
    sp += BigInt(bytes);
    return frame;
  });
}

export interface Given {
  readonly kind: VerdictKind;
  readonly cause?: Findings["verdict"]["cause"];
  readonly culprit?: string;
  readonly confidence?: Findings["verdict"]["confidence"];
  readonly rest?: Partial<Findings>;
  readonly context?: Partial<AdviceContext>;
}

export function findings(given: Given): Findings {
  const [name, module] = (given.culprit ?? "").split("@");
  return {
    input: { kind: "vmcore", format: "elf", path: "vmcore" },
    panic: { message: null, cpu: 1, pid: 9, comm: "sh", task: null },
    verdict: {
      kind: given.kind,
      cause: given.cause ?? null,
      confidence: given.confidence ?? "certain",
      summary: "",
      culprit: name === "" ? null : { function: name!, module: module ?? null, file: null, line: null },
    },
    alternatives: [],
    stack: { kind: "task", low: hex(LOW), high: hex(LOW + SIZE), usedBytes: 0 },
    frames: [],
    recursion: null,
    stale: [],
    corruption: null,
    evidence: [],
    missing: [],
    ...given.rest,
  };
}

export function context(given: Given): AdviceContext {
  return {
    options: noOptions,
    taintedModules: [],
    taints: null,
    log: () => [],
    dumpLevel: null,
    imageProblems: [],
    leads: {},
    ...given.context,
  };
}
