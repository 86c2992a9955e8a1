/** What debug information adds to the frames of a diagnosis: source lines, and the functions that were inlined. */
import type { SourceFrame, SourceLocation } from "../debuginfo/debug-info.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import type { Culprit, Diagnosis, DiagnosisFrame } from "./diagnosis.ts";

/** The functions of the source at each frame, innermost first; empty where nothing is known of it. */
export type FrameSources = readonly (readonly SourceFrame[])[];

/** A call that ends the function's own code: its line is that of the closing brace. */
const CHECK_FAILED = "__stack_chk_fail";

/** Looks the frames up; null where the kernel was opened without debug information, or none was found. */
export function frameSources(kernel: Pick<Kernel, "debugInfo">, frames: readonly Frame[]): FrameSources | null {
  const { debugInfo } = kernel;
  if (debugInfo === null) return null;
  // Recursion comes back to the same call again and again.
  const known = new Map<bigint, readonly SourceFrame[]>();
  const sources = frames.map((frame) => {
    // Without an offset it is not known where in its function the frame was.
    if (frame.offset === null) return [];
    const address = codeAddress(frame);
    let found = known.get(address);
    if (found === undefined) {
      found = debugInfo.framesAt(address);
      known.set(address, found);
    }
    return found;
  });
  return sources.some((found) => found.length > 0) ? sources : null;
}

/** An address within the instruction that a frame is at: a return address is that of the one after the call. */
export function codeAddress(frame: Pick<Frame, "address" | "interrupted">): bigint {
  return frame.interrupted ? frame.address : frame.address - 1n;
}

/**
 * Where the culprit is: its innermost frame's line, in the function's own code where something was inlined there; where that
 * line is the failed canary check, or the function has no frame any more, where the function is defined.
 */
export function locateCulprit(
  kernel: Pick<Kernel, "debugInfo" | "symbols">,
  culprit: Pick<Culprit, "function" | "module">,
  frames: readonly Frame[],
  sources: FrameSources | null,
): Pick<Culprit, "file" | "line"> {
  const index = frames.findIndex((frame) => frame.function === culprit.function && frame.module === culprit.module);
  let own = sources?.[index]?.at(-1) ?? null;
  let location = frames[index - 1]?.function === CHECK_FAILED ? null : (own?.location ?? null);
  if (own === null) {
    const symbol = kernel.symbols.byName(culprit.function, culprit.module);
    own = symbol === null ? null : (kernel.debugInfo?.framesAt(symbol.address).at(-1) ?? null);
  }
  location ??= own?.declared ?? own?.location ?? null;
  return { file: location?.file ?? null, line: location?.line ?? null };
}

/** The document with each frame's line, and an entry of its own for each function that was inlined, inside of its frame. */
export function addFrameSources(diagnosis: Diagnosis, sources: FrameSources | null): Diagnosis {
  if (sources === null) return diagnosis;
  const frames: DiagnosisFrame[] = [];
  const places: number[] = [];
  diagnosis.frames.forEach((frame, index) => {
    const found = sources[index] ?? [];
    for (const inner of found.filter((one) => one.inlined)) {
      frames.push({ ...frame, function: inner.function, offset: null, inlined: true, ...placeOf(inner.location) });
    }
    places.push(frames.length);
    frames.push({ ...frame, ...placeOf(found.find((one) => !one.inlined)?.location ?? null) });
  });
  const { recursion } = diagnosis;
  return {
    ...diagnosis,
    frames,
    recursion: recursion && { ...recursion, firstFrame: places[recursion.firstFrame] ?? recursion.firstFrame },
  };
}

function placeOf(location: SourceLocation | null): { file: string | null; line: number | null } {
  return { file: location?.file ?? null, line: location?.line ?? null };
}

/** The document as it is without inlined functions: one entry for each frame on the stack. */
export function withoutInlined(diagnosis: Diagnosis): Diagnosis {
  const frames = diagnosis.frames.filter((frame) => !frame.inlined);
  if (frames.length === diagnosis.frames.length) return diagnosis;
  const { recursion } = diagnosis;
  const first =
    recursion === null ? 0 : diagnosis.frames.slice(0, recursion.firstFrame).filter((one) => !one.inlined).length;
  return { ...diagnosis, frames, recursion: recursion && { ...recursion, firstFrame: first } };
}
