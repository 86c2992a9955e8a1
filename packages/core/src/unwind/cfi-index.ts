/** Which FDE covers an address: a table of all of them, made when the first is looked for. */
import { Reader } from "../debuginfo/dwarf/reader.ts";
import type { DebugSection } from "../debuginfo/elf/debug-section.ts";
import { SpillwayError } from "../errors.ts";
import type { CfiSection } from "./cfi-section.ts";

/** FDEs that cover addresses, in ascending order of their start. 16 bytes each. */
export interface CfiIndex {
  /** Signed addresses. */
  readonly starts: Float64Array;
  /** Bytes of code; what is larger than 4 GiB is cut to it. */
  readonly sizes: Uint32Array;
  /** Offsets in the section. */
  readonly offsets: Uint32Array;
}

/** vmlinux has some 60,000, the largest modules about as many. */
const MOST_ENTRIES = 1 << 21;
/** Sections read no further than this; vmlinux's is some 4 MB. Bytes. */
const MOST_BYTES = 256 << 20;
/** Read at a time. The head of an FDE, with its address, is far shorter. */
const WINDOW = 1 << 18;
const LONGEST_HEAD = 64;
const FIRST_ENTRIES = 1024;
/** Entries looked at below an address: those of two functions never overlap, but those of freed sections all begin at 0. */
const MAX_BACK = 4;

/** Goes once through all entries. Damage ends the table where it lies; the entries before it stay good. */
export function indexCfi(cfi: CfiSection, section: DebugSection): CfiIndex {
  const table = new GrowingTable();
  const end = Math.min(section.size, MOST_BYTES);
  let window = { base: 0, reader: new Reader(new Uint8Array(0)) };
  try {
    for (let at = 0; at + 4 <= end && table.count < MOST_ENTRIES; ) {
      if (at + LONGEST_HEAD > window.base + window.reader.bytes.length) {
        const bytes = section.bytes(at, Math.min(WINDOW, section.size - at));
        if (bytes === null) break;
        window = { base: at, reader: new Reader(bytes) };
      }
      const { base, reader } = window;
      reader.at = at - base;
      const header = cfi.header(reader, base);
      if (header === null) {
        at = base + reader.at;
        continue;
      }
      const cie = header.cie === null ? null : cfi.cie(header.cie);
      if (cie !== null) {
        const { start, size } = cfi.range(reader, base, cie);
        if (size > 0) table.add(start, size, at);
      }
      at = header.end;
    }
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error;
  }
  return table.sorted();
}

/** Offsets of the FDEs that cover a signed address; more than one only where code lies that was given back. */
export function* lookUp(index: CfiIndex, pc: number): Generator<number> {
  const { starts, sizes, offsets } = index;
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= pc) low = middle + 1;
    else high = middle;
  }
  for (let at = low - 1; at >= 0 && at >= low - MAX_BACK; at--) {
    if (pc < starts[at]! + sizes[at]!) yield offsets[at]!;
  }
}

class GrowingTable {
  count = 0;
  #starts = new Float64Array(FIRST_ENTRIES);
  #sizes = new Uint32Array(FIRST_ENTRIES);
  #offsets = new Uint32Array(FIRST_ENTRIES);
  #ascending = true;

  add(start: number, size: number, offset: number): void {
    if (this.count === this.#starts.length) this.#grow();
    if (this.count > 0 && start < this.#starts[this.count - 1]!) this.#ascending = false;
    this.#starts[this.count] = start;
    this.#sizes[this.count] = Math.min(size, 0xffff_ffff);
    this.#offsets[this.count] = offset;
    this.count++;
  }

  sorted(): CfiIndex {
    const [starts, sizes, offsets] = [this.#starts, this.#sizes, this.#offsets];
    if (this.#ascending) {
      const { count } = this;
      return { starts: starts.slice(0, count), sizes: sizes.slice(0, count), offsets: offsets.slice(0, count) };
    }
    const order = Uint32Array.from({ length: this.count }, (_, i) => i);
    order.sort((a, b) => starts[a]! - starts[b]! || a - b);
    return {
      starts: Float64Array.from(order, (i) => starts[i]!),
      sizes: Uint32Array.from(order, (i) => sizes[i]!),
      offsets: Uint32Array.from(order, (i) => offsets[i]!),
    };
  }

  #grow(): void {
    const length = this.#starts.length * 2;
    const starts = new Float64Array(length);
    const sizes = new Uint32Array(length);
    const offsets = new Uint32Array(length);
    starts.set(this.#starts);
    sizes.set(this.#sizes);
    offsets.set(this.#offsets);
    [this.#starts, this.#sizes, this.#offsets] = [starts, sizes, offsets];
  }
}
