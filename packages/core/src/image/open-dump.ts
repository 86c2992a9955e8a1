import type { ByteSource } from "../bytes/byte-source.ts";
import { SpillwayError } from "../errors.ts";
import { type CodecTable, portableCodecs } from "./codec/codecs.ts";
import { detectFormat } from "./detect.ts";
import type { DumpImage, ImageProblem } from "./dump-image.ts";
import { openElfCore } from "./elf/elf-core.ts";
import { FlattenedSource } from "./flattened/flattened-source.ts";
import { KdumpImage } from "./kdump/kdump-core.ts";
import { readKdumpHeader } from "./kdump/kdump-header.ts";
import { orderSplitSet } from "./kdump/split-set.ts";

export interface OpenDumpOptions {
  /** Codecs to use instead of the portable ones; a front end may know faster ones for its platform. */
  readonly codecs?: CodecTable;
  /** Open a split set although files of it are missing; their pages are then lost. */
  readonly allowIncompleteSet?: boolean;
}

/**
 * Opens a dump: an x86_64 ELF core or kdump-compressed file, flattened or not, or all files of a split set in any order.
 * The cost does not grow with the dump, but for a flattened file, whose records have to be walked once.
 *
 * @throws SpillwayError `SPW_IMAGE_EMPTY`, `SPW_IMAGE_UNKNOWN_FORMAT`, `SPW_IMAGE_WRONG_ARCH`, `SPW_IMAGE_UNSUPPORTED`,
 *   `SPW_IMAGE_TRUNCATED`, `SPW_IMAGE_CORRUPT`, `SPW_IMAGE_SPLIT_INCOMPLETE`, `SPW_IMAGE_SPLIT_MISMATCH`,
 *   `SPW_INPUT_READ_FAILED`
 */
export function openDump(sources: readonly ByteSource[], options: OpenDumpOptions = {}): DumpImage {
  if (sources.length === 0) {
    throw new SpillwayError("SPW_USAGE_NO_DUMP", "no dump file was given", { class: "usage" });
  }
  const problems: ImageProblem[] = [];
  const opened = sources.map((source) => unwrap(source, problems));
  const flattened = opened.some((one) => one.flattened);
  const elf = opened.find((one) => one.format === "elf");
  if (elf !== undefined) {
    if (opened.length > 1) {
      throw new SpillwayError(
        "SPW_IMAGE_SPLIT_MISMATCH",
        `${opened.length} files were given, but ${elf.source.name} is an ELF core, which is always one file`,
        {
          facts: { files: opened.map((one) => one.source.name) },
          hint: "Give one dump, or the files of one split set.",
        },
      );
    }
    return openElfCore(elf.source, flattened, problems);
  }
  const parts = opened.map(({ source }) => ({ source, header: readKdumpHeader(source) }));
  const ordered = orderSplitSet(parts, options.allowIncompleteSet ?? false, problems);
  return new KdumpImage(ordered, flattened, options.codecs ?? portableCodecs, problems);
}

interface Unwrapped {
  readonly source: ByteSource;
  readonly format: "elf" | "kdump";
  readonly flattened: boolean;
}

function unwrap(source: ByteSource, problems: ImageProblem[]): Unwrapped {
  const format = detectFormat(source);
  if (format !== "flattened") return { source, format, flattened: false };
  const inner = new FlattenedSource(source);
  problems.push(...inner.problems);
  const innerFormat = detectFormat(inner);
  if (innerFormat === "flattened") {
    throw new SpillwayError("SPW_IMAGE_CORRUPT", `${source.name}: a flattened file inside a flattened file`);
  }
  return { source: inner, format: innerFormat, flattened: true };
}
