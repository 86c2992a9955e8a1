import type { PhysicalMemory } from "../image/physical-memory.ts";
import { u32At } from "../memory/split-address.ts";

/** Page tables read at most: those of 128 GiB of user memory in small pages. */
const MOST_TABLES = 1 << 16;
const ENTRIES = 512;
/** The lower half of the top table: user space, with four levels and with five. */
const USER_ENTRIES = 256;
const PRESENT = 1;
const LARGE = 0x80;
const TABLES_PER_STEP = 256;
/** Page frames in what an entry of a level maps: 1 PTE, 2 PMD, 3 PUD. */
const FRAMES = [0, 1, 512, 512 * 512] as const;

/** Walks the user half of page tables and notes which frames of interest they map. */
export class UserTables {
  /** Frames of interest that are mapped. */
  readonly found = new Set<number>();
  /** Tables read. */
  tables = 0;
  /** Tables that the dump does not hold. */
  missing = 0;
  /** There were more tables than are read. */
  cut = false;
  readonly #memory: PhysicalMemory;
  /** A bit for each frame of interest. */
  readonly #wanted: Uint8Array;
  readonly #sorted: Float64Array;
  readonly #seen = new Set<number>();
  readonly #addressHigh: number;
  readonly #step: (tables: number) => void;

  /**
   * @param frames the frames of interest
   * @param encryptionMask bits of an entry that are AMD's memory encryption marker and not address
   * @param step is told now and then how many tables were read
   */
  constructor(
    memory: PhysicalMemory,
    frames: Iterable<number>,
    encryptionMask: bigint,
    step: (tables: number) => void,
  ) {
    this.#memory = memory;
    this.#sorted = Float64Array.from(frames).sort();
    const highest = this.#sorted.at(-1) ?? 0;
    this.#wanted = new Uint8Array((highest >>> 3) + 1);
    for (const pfn of this.#sorted) this.#wanted[pfn >>> 3] = this.#wanted[pfn >>> 3]! | (1 << (pfn & 7));
    this.#addressHigh = 0xfffff & ~Number((encryptionMask >> 32n) & 0xffffffffn);
    this.#step = step;
  }

  /** Walks the user half below a top table. @param levels 4 or 5 */
  walk(topPfn: number, levels: number): void {
    this.#table(topPfn, levels, USER_ENTRIES);
  }

  #table(pfn: number, level: number, entries: number): void {
    // Shared tables (huge pages, threads of vfork) are walked once; so are tables that lead to themselves.
    if (this.#seen.has(pfn)) return;
    if (this.tables >= MOST_TABLES) {
      this.cut = true;
      return;
    }
    this.#seen.add(pfn);
    const table = this.#memory.page(pfn);
    if (table === null) {
      this.missing++;
      return;
    }
    if (++this.tables % TABLES_PER_STEP === 0) this.#step(this.tables);
    for (let i = 0; i < entries; i++) {
      const low = u32At(table, i * 8);
      if ((low & PRESENT) === 0) continue;
      const target = (u32At(table, i * 8 + 4) & this.#addressHigh) * 0x100000 + (low >>> 12);
      if (level === 1) this.#leaf(target, 1);
      else if (level <= 3 && (low & LARGE) !== 0) this.#leaf(target - (target % FRAMES[level]!), FRAMES[level]!);
      else this.#table(target, level - 1, ENTRIES);
    }
  }

  #leaf(start: number, count: number): void {
    if (count === 1) {
      const byte = this.#wanted[start >>> 3];
      if (start < 2 ** 32 && byte !== undefined && (byte & (1 << (start & 7))) !== 0) this.found.add(start);
      return;
    }
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]! < start) low = middle + 1;
      else high = middle;
    }
    for (; low < this.#sorted.length && this.#sorted[low]! < start + count; low++) this.found.add(this.#sorted[low]!);
  }
}
