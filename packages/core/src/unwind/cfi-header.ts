/**
 * .eh_frame_hdr: the linker's table of FDEs, sorted by address, so that nothing needs to be indexed.
 * Source: Linux Standard Base 5.0, "The .eh_frame_hdr section".
 */
import { Reader } from "../debuginfo/dwarf/reader.ts";
import type { DebugSection } from "../debuginfo/elf/debug-section.ts";
import { SpillwayError } from "../errors.ts";
import { DW_EH_PE, readPointer, readValue, valueSize } from "./cfi-encoding.ts";

const VERSION = 1;
/** Version, three encodings, then a pointer and a count of 10 bytes at the most. */
const HEAD = 24;

export class CfiHeader {
  readonly #section: DebugSection;
  readonly #address: number;
  readonly #encoding: number;
  readonly #entrySize: number;
  readonly #count: number;
  readonly #table: number;
  /** Signed address of .eh_frame. */
  readonly frames: number;

  private constructor(section: DebugSection, address: number, reader: Reader) {
    this.#section = section;
    this.#address = address;
    reader.skip(1);
    const framesEncoding = reader.u8();
    const countEncoding = reader.u8();
    this.#encoding = reader.u8();
    const bases = { place: address, data: address };
    this.frames = readPointer(reader, framesEncoding, bases);
    const count = countEncoding === DW_EH_PE.omit ? 0 : readValue(reader, countEncoding & 0x0f);
    this.#table = reader.at;
    const size = this.#encoding === DW_EH_PE.omit ? null : valueSize(this.#encoding);
    this.#entrySize = (size ?? 0) * 2;
    const room = size === null ? 0 : Math.floor((section.size - this.#table) / this.#entrySize);
    this.#count = Math.min(count, room);
  }

  /** Null where there is no such table or it is not sorted. */
  static open(section: DebugSection, address: number): CfiHeader | null {
    const bytes = section.bytes(0, Math.min(HEAD, section.size));
    if (bytes === null || bytes[0] !== VERSION) return null;
    try {
      const header = new CfiHeader(section, address, new Reader(bytes));
      return header.#count > 0 && header.#isSorted() ? header : null;
    } catch (error) {
      if (!(error instanceof SpillwayError)) throw error;
      return null;
    }
  }

  /** Signed address of the only FDE that can cover a signed address; null where none begins before it. */
  fdeFor(pc: number): number | null {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entry(middle);
      if (entry === null) return null;
      if (entry.start <= pc) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : (this.#entry(low - 1)?.fde ?? null);
  }

  /** A sample: linkers that do not sort leave the table out. */
  #isSorted(): boolean {
    let previous = Number.NEGATIVE_INFINITY;
    const samples = Math.min(this.#count, 16);
    for (let n = 0; n < samples; n++) {
      const entry = this.#entry(Math.floor((n * (this.#count - 1)) / Math.max(1, samples - 1)));
      if (entry === null || entry.start < previous) return false;
      previous = entry.start;
    }
    return true;
  }

  #entry(index: number): { readonly start: number; readonly fde: number } | null {
    const at = this.#table + index * this.#entrySize;
    const bytes = this.#section.bytes(at, this.#entrySize);
    if (bytes === null) return null;
    const reader = new Reader(bytes);
    const bases = { place: this.#address + at, data: this.#address };
    const start = readPointer(reader, this.#encoding, bases);
    return { start, fde: readPointer(reader, this.#encoding, bases) };
  }
}
