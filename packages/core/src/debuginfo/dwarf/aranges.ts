import type { DebugSection } from "../elf/debug-section.ts";
import { corrupt, Reader } from "./reader.ts";

/** Three-figure kilobytes in kernels; link-time optimisation makes no more of it. */
const LARGEST = 1 << 24;

/** .debug_aranges: which unit covers an address. Compilers may leave it out, for some units or for all. */
export interface AddressRanges {
  /** Offset in .debug_info of the unit that covers a signed link-time address, or null. */
  unitAt(pc: number): number | null;
  /** Units that it names, whether or not it gives them addresses. */
  readonly units: ReadonlySet<number>;
}

/**
 * Reads .debug_aranges (DWARF 5, 6.1.2). Ends where an entry is damaged; what came before it stays.
 * @param problem takes, in words, that it is damaged
 */
export function readAddressRanges(section: DebugSection | null, problem: (text: string) => void): AddressRanges {
  const table = new RangeTable();
  const bytes = section === null || section.size > LARGEST ? null : section.bytes(0, section.size);
  if (bytes === null) return table;
  const reader = new Reader(bytes);
  try {
    while (!reader.end) readSet(reader, table);
  } catch (error) {
    problem(error instanceof Error ? error.message : String(error));
  }
  table.sort();
  return table;
}

function readSet(reader: Reader, table: RangeTable): void {
  const start = reader.at;
  let length = reader.u32();
  const offsetSize = length === 0xffffffff ? 8 : 4;
  if (offsetSize === 8) length = reader.u64();
  const end = reader.at + length;
  if (!(end <= reader.bytes.length)) throw corrupt(".debug_aranges ends inside a set", { offset: start });
  const version = reader.u16();
  const unit = reader.offset(offsetSize);
  const addressSize = reader.u8();
  const segmentSize = reader.u8();
  if (version === 2 && segmentSize === 0 && (addressSize === 8 || addressSize === 4)) {
    table.units.add(unit);
    // Pairs are aligned to their own size, from the set's start.
    const pair = addressSize * 2;
    const from = start + Math.ceil((reader.at - start) / pair) * pair;
    for (reader.at = from; reader.at + pair <= end; ) {
      const low = reader.address(addressSize);
      const size = addressSize === 8 ? reader.u64() : reader.u32();
      if (low === 0 && size === 0) break;
      if (size > 0) table.add(low, low + size, unit);
    }
  }
  reader.at = end;
}

class RangeTable implements AddressRanges {
  readonly units = new Set<number>();
  #rows: { readonly low: number; readonly high: number; readonly unit: number }[] = [];
  /** Highest end of the rows up to this one: ranges may overlap. */
  #reach = new Float64Array(0);

  add(low: number, high: number, unit: number): void {
    this.#rows.push({ low, high, unit });
  }

  sort(): void {
    this.#rows.sort((a, b) => a.low - b.low);
    this.#reach = new Float64Array(this.#rows.length);
    let reach = Number.NEGATIVE_INFINITY;
    this.#rows.forEach((row, i) => {
      reach = Math.max(reach, row.high);
      this.#reach[i] = reach;
    });
  }

  unitAt(pc: number): number | null {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle]?.low ?? 0) <= pc) low = middle + 1;
      else high = middle;
    }
    for (let i = low - 1; i >= 0 && (this.#reach[i] ?? 0) > pc; i--) {
      const row = this.#rows[i];
      if (row !== undefined && row.high > pc) return row.unit;
    }
    return null;
  }
}
