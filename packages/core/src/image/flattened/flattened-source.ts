/**
 * makedumpfile's flattened format, read in place. It is a sequence of records, each with the offset in the real dump where
 * its bytes belong, so that a dump can go through a pipe.
 * Source: makedumpfile `makedumpfile.h` (struct makedumpfile_header, makedumpfile_data_header): a 4096-byte header, then
 * {s64 offset, s64 size, bytes} records, all big-endian, up to a record of offset -1.
 */

import type { ByteSource } from "../../bytes/byte-source.ts";
import { readExactly, u64be, viewOf } from "../../bytes/read.ts";
import { SpillwayError } from "../../errors.ts";
import type { ImageProblem } from "../dump-image.ts";
import type { SourceWithHoles } from "../holes.ts";
import { RecordRuns } from "./record-runs.ts";

const HEADER_SIZE = 4096;
const RECORD_HEADER = 16;
/** No dump has more: 64 KiB records would make it 1 TiB, QEMU's 16 KiB ones 256 GiB. */
const MAX_RECORDS = 1 << 24;
const SMALL_FILE = 256 << 20;
const READ_AHEAD = 64 << 10;
/** Past the size of any dump; an offset above it is damage. */
const MAX_OFFSET = 2 ** 50;

/** The dump inside a flattened file, as a byte source. */
export class FlattenedSource implements SourceWithHoles {
  readonly name: string;
  readonly size: number;
  readonly problems: readonly ImageProblem[];
  readonly #file: ByteSource;
  readonly #runs: RecordRuns;

  /**
   * Walks the record headers once.
   * @throws SpillwayError `SPW_IMAGE_TRUNCATED` (no record at all), `SPW_IMAGE_CORRUPT`
   */
  constructor(file: ByteSource) {
    this.name = file.name;
    this.#file = file;
    const problems: ImageProblem[] = [];
    this.#runs = scanRecords(file, problems);
    this.problems = problems;
    this.size = this.#runs.end;
  }

  read(offset: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    const out = new Uint8Array(wanted);
    this.#runs.forEachPiece(offset, wanted, (fileOffset, at, pieceLength) => {
      out.set(this.#file.read(fileOffset, pieceLength), at);
    });
    return out;
  }

  hasHole(offset: number, length: number): boolean {
    return !this.#runs.covers(offset, length);
  }

  nextWritten(offset: number): number {
    return this.#runs.nextWritten(offset);
  }
}

function scanRecords(file: ByteSource, problems: ImageProblem[]): RecordRuns {
  const header = readExactly(file, 0, HEADER_SIZE);
  if (header === null) {
    throw new SpillwayError("SPW_IMAGE_TRUNCATED", `${file.name}: the file ends inside the flattened file's header`, {
      facts: { size: file.size, needed: HEADER_SIZE },
      hint: "The copy of the dump was cut short; copy it again.",
    });
  }
  const view = viewOf(header);
  const type = u64be(view, 16);
  const version = u64be(view, 24);
  if (type !== 1 || version !== 1) {
    throw new SpillwayError(
      "SPW_IMAGE_CORRUPT",
      `${file.name}: a flattened file of type ${type}, version ${version}; only type 1, version 1 exists`,
      { facts: { offset: 16, type, version } },
    );
  }

  const runs = new RecordRuns();
  const reader = new HeaderReader(file);
  let at = HEADER_SIZE;
  let records = 0;
  for (;;) {
    const record = reader.at(at);
    if (record === null) {
      problems.push({
        code: "SPW_IMAGE_TRUNCATED",
        message: `the flattened file ends at byte ${file.size} without its end mark: what came after is lost`,
      });
      break;
    }
    const { offset, size } = record;
    if (offset < 0) break;
    if (offset > MAX_OFFSET || size <= 0 || size > MAX_OFFSET || ++records > MAX_RECORDS) {
      if (records === 0) {
        throw new SpillwayError(
          "SPW_IMAGE_CORRUPT",
          `${file.name}: the first record of the flattened file is damaged`,
          {
            facts: { offset: at },
          },
        );
      }
      problems.push({
        code: "SPW_IMAGE_CORRUPT",
        message: `the flattened file's record at byte ${at} is damaged: what came after is lost`,
      });
      break;
    }
    const available = Math.min(size, file.size - at - RECORD_HEADER);
    if (available > 0 && !runs.add(offset, available, at + RECORD_HEADER)) {
      throw new SpillwayError(
        "SPW_IMAGE_CORRUPT",
        `${file.name}: the flattened file's records jump about without end`,
        {
          facts: { offset: at },
        },
      );
    }
    at += RECORD_HEADER + size;
  }
  runs.finish();
  return runs;
}

/** Record headers, read ahead where records are small. */
class HeaderReader {
  readonly #file: ByteSource;
  #start = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #last = 0;

  constructor(file: ByteSource) {
    this.#file = file;
  }

  /** Reading ahead pays where the next headers are near, and in a small file, which costs less than its many reads. */
  #ahead(position: number): number {
    if (this.#file.size <= SMALL_FILE) return READ_AHEAD;
    return position - this.#last < 1024 ? READ_AHEAD : RECORD_HEADER;
  }

  /** The record header at a file offset; `offset` -1 for the end mark; null past the end of the file. */
  at(position: number): { offset: number; size: number } | null {
    let within = position - this.#start;
    if (within < 0 || within + RECORD_HEADER > this.#view.byteLength) {
      const bytes = this.#file.read(position, this.#ahead(position));
      if (bytes.length < RECORD_HEADER) return null;
      this.#start = position;
      this.#view = viewOf(bytes);
      within = 0;
    }
    this.#last = position;
    if (this.#view.getInt32(within, false) < 0) return { offset: -1, size: 0 };
    return { offset: u64be(this.#view, within), size: u64be(this.#view, within + 8) };
  }
}
