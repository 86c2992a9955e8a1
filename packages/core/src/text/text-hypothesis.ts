/** An explanation of a crash that only text tells of. As in `diagnose/`, several compete. */
import type { Culprit, Diagnosis, OverflowCause, RecursionCycle, VerdictKind } from "../diagnose/diagnosis.ts";

export interface TextHypothesis {
  readonly kind: VerdictKind;
  readonly cause: OverflowCause | null;
  /** As in `diagnose/hypothesis.ts`; never above `TEXT_LIMIT`. */
  readonly weight: number;
  readonly summary: string;
  readonly why: string;
  readonly culprit: Pick<Culprit, "function" | "module"> | null;
  readonly stack: Diagnosis["stack"];
  readonly recursion: RecursionCycle | null;
  readonly corruption: Diagnosis["corruption"];
}

/**
 * No text makes a verdict certain: what it says cannot be checked against the memory it is about. Just below the band that
 * `confidenceOf` calls certain.
 */
export const TEXT_LIMIT = 0.89;

/** Fills what most explanations leave open. */
export function textHypothesis(
  given: Pick<TextHypothesis, "kind" | "weight" | "summary" | "why"> & Partial<TextHypothesis>,
): TextHypothesis {
  return {
    cause: null,
    culprit: null,
    stack: null,
    recursion: null,
    corruption: null,
    ...given,
    weight: Math.min(given.weight, TEXT_LIMIT),
  };
}
