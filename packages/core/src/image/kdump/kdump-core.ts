import type { ByteSource } from "../../bytes/byte-source.ts";
import type { CodecTable } from "../codec/codecs.ts";
import type { CpuNote, DumpImage, ImageProblem } from "../dump-image.ts";
import { type DumpNotes, parseNotes, vmcoreinfoText } from "../notes.ts";
import { type FileRange, STATUS_INCOMPLETE } from "./kdump-header.ts";
import { KdumpMemory, type KdumpPart } from "./kdump-memory.ts";

const MAX_NOTES = 16 << 20;
const MAX_VMCOREINFO = 1 << 20;
/** The newest version of the format (makedumpfile 1.5.3 and later). */
const NEWEST_VERSION = 6;

/** A kdump-compressed dump, of one file or of all files of a split set in ascending order. */
export class KdumpImage implements DumpImage {
  readonly format = "kdump";
  readonly flattened: boolean;
  readonly memory: KdumpMemory;
  readonly vmcoreinfo: string | null;
  readonly cpuNotes: readonly CpuNote[];
  readonly rawNotes: Uint8Array | null;
  readonly header: NonNullable<DumpImage["header"]>;
  readonly virtualRanges = [];
  readonly #problems: ImageProblem[];
  #lookedForTruncation = false;

  constructor(parts: readonly KdumpPart[], flattened: boolean, codecs: CodecTable, found: readonly ImageProblem[]) {
    const header = parts[0]!.header;
    this.flattened = flattened;
    this.#problems = [...found];
    this.memory = new KdumpMemory(parts, codecs);
    this.header = {
      version: header.version,
      release: header.release,
      machine: header.machine,
      nodename: header.nodename,
      timestamp: header.timestamp,
      dumpLevel: header.dumpLevel,
    };
    if (header.version > NEWEST_VERSION) {
      this.#problem("SPW_IMAGE_UNKNOWN_VERSION", `header version ${header.version} is newer than any known; read as 6`);
    }
    if (parts.some((part) => part.header.status & STATUS_INCOMPLETE)) {
      this.#problem(
        "SPW_IMAGE_INCOMPLETE",
        "its writer ran out of space and marked it incomplete: some pages are lost",
      );
    }
    this.rawNotes = this.#read(parts, "notes", MAX_NOTES);
    const notes: DumpNotes | null = this.rawNotes === null ? null : parseNotes(this.rawNotes);
    if (notes !== null && notes.damagedAt !== null) {
      this.#problem("SPW_IMAGE_CORRUPT", `the notes are damaged from byte ${notes.damagedAt} on`);
    }
    const vmcoreinfo = this.#read(parts, "vmcoreinfo", MAX_VMCOREINFO);
    this.vmcoreinfo = (vmcoreinfo === null ? null : vmcoreinfoText(vmcoreinfo)) ?? notes?.vmcoreinfo ?? null;
    this.cpuNotes = notes?.cpuNotes ?? [];
  }

  /** Found when first asked: to see whether the last page is there, the whole bitmap has to be counted. */
  get problems(): readonly ImageProblem[] {
    if (!this.#lookedForTruncation) {
      this.#lookedForTruncation = true;
      for (const { name, size, needed } of this.memory.truncations()) {
        this.#problem(
          "SPW_IMAGE_TRUNCATED",
          `${name} ends at byte ${size}, and pages reach byte ${needed} or beyond: those are lost`,
        );
      }
    }
    return this.#problems;
  }

  #problem(code: ImageProblem["code"], message: string): void {
    this.#problems.push({ code, message });
  }

  #read(parts: readonly KdumpPart[], what: "notes" | "vmcoreinfo", limit: number): Uint8Array | null {
    for (const { source, header } of parts) {
      const range = header[what];
      if (range === null) continue;
      const bytes = readRange(source, range, limit);
      if (bytes.length < range.size) {
        this.#problem("SPW_IMAGE_TRUNCATED", `only ${bytes.length} of ${range.size} bytes of ${what} could be read`);
      }
      if (bytes.length > 0) return bytes;
    }
    return null;
  }
}

function readRange(source: ByteSource, range: FileRange, limit: number): Uint8Array {
  const length = Math.min(range.size, limit, source.size - range.offset);
  return length > 0 ? source.read(range.offset, length) : new Uint8Array(0);
}
