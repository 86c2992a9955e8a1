/** What inferred frames rest on. */
import type { DiagnosisFrame } from "@spillway/core";

/** The reason that all inferred frames share, to be said once; null where they differ. */
export function sharedReason(frames: readonly DiagnosisFrame[]): string | null {
  const given = frames.flatMap((frame) => (frame.why === null ? [] : [frame.why]));
  return given.length > 2 && new Set(given).size === 1 ? given[0]! : null;
}
