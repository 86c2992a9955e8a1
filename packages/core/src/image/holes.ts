import type { ByteSource } from "../bytes/byte-source.ts";

/**
 * A byte source that knows of ranges nobody ever wrote (they read as zero): a flattened file that was cut short, or lost
 * a record. A plain file with holes is not one of these; its holes are zeros on purpose.
 */
export interface SourceWithHoles extends ByteSource {
  /** Whether any byte of the range was never written. */
  hasHole(offset: number, length: number): boolean;
  /** The first offset of at least `offset` that was written, or `size`. */
  nextWritten(offset: number): number;
}

/** Bytes from `offset` on of which none was written; 0 for a plain file. */
export function holeLength(source: ByteSource, offset: number): number {
  return "nextWritten" in source ? (source as SourceWithHoles).nextWritten(offset) - offset : 0;
}

/** Whether any byte of the range is missing although it lies inside the source. */
export function missingIn(source: ByteSource, offset: number, length: number): boolean {
  return "hasHole" in source && (source as SourceWithHoles).hasHole(offset, length);
}
