import { u64, viewOf } from "../../bytes/read.ts";
import type { DebugSection } from "./debug-section.ts";

/** Elf64_Rela: r_offset u64, r_info u64 (type in the low half, symbol in the high one), r_addend i64. */
const RELA_SIZE = 24;
/** Elf64_Sym: st_shndx u16 at 6, st_value u64 at 8. */
const SYMBOL_SIZE = 24;
/** Debug sections have relocations every ten bytes or so; past this they are damage. */
const MOST_RELOCATIONS = 1 << 26;
/** Types of the x86-64 psABI that debug sections have, by the bytes they fill. */
const WIDTHS = new Map([
  [1, 8], // R_X86_64_64
  [10, 4], // R_X86_64_32
  [11, 4], // R_X86_64_32S
]);

/** Where a relocatable file's sections are: the address by section index, 0 for what is not in memory. */
export type Placement = (sectionIndex: number) => bigint;

/**
 * Fills in the values of a relocatable file's section, a range at a time. Linkers write the entries in ascending order, so
 * that those of a range are found by bisection; where a range shows that they are not, they are sorted once.
 */
export class Relocations {
  readonly #rela: DebugSection;
  readonly #symbols: DebugSection;
  readonly #placement: Placement;
  readonly #count: number;
  #sorted: DebugSection | null = null;

  constructor(rela: DebugSection, symbols: DebugSection, placement: Placement) {
    this.#rela = rela;
    this.#symbols = symbols;
    this.#placement = placement;
    this.#count = Math.min(Math.floor(rela.size / RELA_SIZE), MOST_RELOCATIONS);
  }

  /** Writes into `bytes`, which begin at `offset` of the section. What cannot be read leaves them as they are. */
  apply(bytes: Uint8Array, offset: number): void {
    if (this.#count === 0 || bytes.length === 0) return;
    const end = offset + bytes.length;
    // An entry of eight bytes may begin before the range.
    const first = this.#lowerBound(offset - 7);
    const last = this.#lowerBound(end);
    const entries = this.#entries.bytes(first * RELA_SIZE, Math.max(0, last - first) * RELA_SIZE);
    if (entries === null) return;
    const view = viewOf(entries);
    let previous = offset - 7;
    for (let at = 0; at < entries.length; at += RELA_SIZE) {
      const place = u64(view, at);
      if (place < previous || place >= end) {
        if (this.#sorted !== null) return;
        this.#sort();
        this.apply(bytes, offset);
        return;
      }
      previous = place;
      this.#write(bytes, place - offset, view, at);
    }
  }

  get #entries(): DebugSection {
    return this.#sorted ?? this.#rela;
  }

  #write(bytes: Uint8Array, place: number, view: DataView, at: number): void {
    const width = WIDTHS.get(view.getUint32(at + 8, true));
    if (width === undefined) return;
    let value = this.#symbol(view.getUint32(at + 12, true)) + view.getBigInt64(at + 16, true);
    for (let i = 0; i < width; i++, value >>= 8n) {
      const byte = place + i;
      if (byte >= 0 && byte < bytes.length) bytes[byte] = Number(value & 0xffn);
    }
  }

  /** A symbol's address; 0 for one that is not defined here. */
  #symbol(index: number): bigint {
    const entry = this.#symbols.bytes(index * SYMBOL_SIZE, SYMBOL_SIZE);
    if (index === 0 || entry === null) return 0n;
    const view = viewOf(entry);
    const section = view.getUint16(6, true);
    if (section === 0) return 0n;
    return (section < 0xff00 ? this.#placement(section) : 0n) + view.getBigUint64(8, true);
  }

  /** The first entry at or after a place in the section. */
  #lowerBound(place: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries.bytes(middle * RELA_SIZE, 8);
      if (entry === null) return this.#count;
      if (u64(viewOf(entry), 0) < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #sort(): void {
    const all = this.#rela.bytes(0, this.#count * RELA_SIZE);
    if (all === null) {
      this.#sorted = this.#rela;
      return;
    }
    const view = viewOf(all);
    const order = Array.from({ length: this.#count }, (_, i) => i);
    order.sort((a, b) => u64(view, a * RELA_SIZE) - u64(view, b * RELA_SIZE));
    const sorted = new Uint8Array(all.length);
    order.forEach((from, to) => {
      sorted.set(all.subarray(from * RELA_SIZE, (from + 1) * RELA_SIZE), to * RELA_SIZE);
    });
    const section: DebugSection = {
      name: this.#rela.name,
      size: sorted.length,
      bytes: (offset, length) => (offset + length <= sorted.length ? sorted.subarray(offset, offset + length) : null),
      cstring: () => null,
    };
    this.#sorted = section;
  }
}
