/** One explanation of the crash. Several compete; the one that explains most of the evidence wins. */
import type { Leads } from "../advice/advice-input.ts";
import type { StackRange } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import type { Confidence, Diagnosis, OverflowCause, VerdictKind } from "./diagnosis.ts";
import type { Cycle } from "./recursion.ts";

export interface Hypothesis {
  readonly kind: VerdictKind;
  readonly cause: OverflowCause | null;
  /** 0 (contradicted) to 1 (nothing else explains what is there). Only the order and the bands of `confidenceOf` count. */
  readonly weight: number;
  /** One sentence, for the verdict. */
  readonly summary: string;
  /** Why it is (or is not) believed, for the alternatives. */
  readonly why: string;
  /** Whose code is at fault; a frame, or a function that has none any more. */
  readonly culprit: Pick<Frame, "function" | "module"> | null;
  readonly stack: StackRange | null;
  readonly usedBytes: number | null;
  readonly cycle: { readonly cycle: Cycle; readonly offset: number } | null;
  readonly corruption: Diagnosis["corruption"];
  /** For the advice: what the document does not carry. */
  readonly leads: Leads;
}

/** Weight below which no explanation is good enough: the verdict is then `undetermined`. */
export const ENOUGH = 0.5;
/** Weight below which an alternative is not worth a person's time. */
export const WORTH_SAYING = 0.1;

export function confidenceOf(weight: number): Confidence {
  if (weight >= 0.9) return "certain";
  return weight >= 0.65 ? "likely" : "possible";
}

/** Fills what most hypotheses leave open. */
export function hypothesis(
  given: Pick<Hypothesis, "kind" | "weight" | "summary" | "why"> & Partial<Hypothesis>,
): Hypothesis {
  return {
    cause: null,
    culprit: null,
    stack: null,
    usedBytes: null,
    cycle: null,
    corruption: null,
    leads: {},
    ...given,
  };
}
