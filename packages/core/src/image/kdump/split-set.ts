import { SpillwayError } from "../../errors.ts";
import type { ImageProblem } from "../dump-image.ts";
import type { KdumpPart } from "./kdump-memory.ts";

/**
 * Puts the files of a split set (makedumpfile `--split`) in order and checks that they are one set. Each file has all
 * headers and both whole bitmaps, but descriptors and pages of its own range of frames only.
 *
 * @throws SpillwayError `SPW_IMAGE_SPLIT_INCOMPLETE`, `SPW_IMAGE_SPLIT_MISMATCH`
 */
export function orderSplitSet(
  parts: readonly KdumpPart[],
  allowIncomplete: boolean,
  problems: ImageProblem[],
): readonly KdumpPart[] {
  const whole = parts.find((part) => part.header.split === null);
  if (whole !== undefined) {
    if (parts.length === 1) return parts;
    throw mismatch(parts, `${whole.source.name} is a whole dump and not a part of a split one`);
  }
  const ordered = [...parts].sort((a, b) => a.header.split!.startPfn - b.header.split!.startPfn);
  const first = ordered[0]!;
  for (const part of ordered) {
    const { startPfn, endPfn } = part.header.split!;
    if (!(startPfn <= endPfn)) {
      throw new SpillwayError("SPW_IMAGE_CORRUPT", `${part.source.name}: its range of pages ends before it begins`, {
        facts: { startPfn, endPfn },
      });
    }
    const same =
      part.header.maxPfn === first.header.maxPfn &&
      part.header.bitmapLength === first.header.bitmapLength &&
      part.header.timestamp === first.header.timestamp &&
      part.header.release === first.header.release;
    if (!same) throw mismatch(parts, `${first.source.name} and ${part.source.name} are of different dumps`);
  }

  const missing: string[] = [];
  let next = 0;
  for (const part of ordered) {
    const { startPfn, endPfn } = part.header.split!;
    if (startPfn < next) throw mismatch(parts, `${part.source.name} holds pages that another file given holds too`);
    if (startPfn > next) missing.push(`${next}-${startPfn - 1}`);
    next = endPfn;
  }
  if (next < first.header.maxPfn) missing.push(`${next}-${first.header.maxPfn - 1}`);
  if (missing.length > 0) {
    const message = `part of a split dump: no file given holds page frames ${missing.join(", ")}`;
    if (!allowIncomplete) {
      throw new SpillwayError("SPW_IMAGE_SPLIT_INCOMPLETE", `${first.source.name}: ${message}`, {
        facts: { missing, files: ordered.map((part) => part.source.name) },
        hint: "Give all files that makedumpfile --split wrote, in any order.",
      });
    }
    problems.push({ code: "SPW_IMAGE_SPLIT_INCOMPLETE", message });
  }
  return ordered;
}

function mismatch(parts: readonly KdumpPart[], why: string): SpillwayError {
  return new SpillwayError(
    "SPW_IMAGE_SPLIT_MISMATCH",
    `the ${parts.length} files given are not one split dump: ${why}`,
    {
      facts: { files: parts.map((part) => part.source.name) },
      hint: "Give one dump, or all files of one split set.",
    },
  );
}
