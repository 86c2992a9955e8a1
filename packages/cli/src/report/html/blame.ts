/** Which frames the verdict is about. */
import type { Diagnosis, StackRegion } from "@spillway/core";

/** The frame that the verdict names: its innermost one; for an inlined function the frame that it is part of. */
export function culpritFrame(diagnosis: Diagnosis): number | null {
  const { culprit } = diagnosis.verdict;
  if (culprit === null) return null;
  const { frames } = diagnosis;
  const named = frames.findIndex((one) => one.function === culprit.function && one.module === culprit.module);
  if (named < 0) return null;
  const index = frames.findIndex((one, at) => at >= named && !one.inlined);
  return index < 0 ? null : index;
}

/** Indexes of the frames of recursion's turns, in their order; inlined entries are no frames. */
export function recursionFrames(diagnosis: Diagnosis): number[] {
  const { recursion, frames } = diagnosis;
  if (recursion === null) return [];
  const total = recursion.functions.length * recursion.turns;
  const indexes: number[] = [];
  for (let at = recursion.firstFrame; at < frames.length && indexes.length < total; at++) {
    if (!frames[at]!.inlined) indexes.push(at);
  }
  return indexes;
}

/** Frames that the verdict blames: the culprit's, or all turns of the recursion. */
export function blamedFrames(diagnosis: Diagnosis): ReadonlySet<number> {
  const { verdict, recursion } = diagnosis;
  if (verdict.kind === "not-stack-related") return new Set();
  if (recursion !== null) return new Set(recursionFrames(diagnosis));
  const culprit = culpritFrame(diagnosis);
  return new Set(culprit === null ? [] : [culprit]);
}

export function isBlamed(blamed: ReadonlySet<number>, region: StackRegion): boolean {
  return region.frame !== null && blamed.has(region.frame);
}
