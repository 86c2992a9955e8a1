import type { PageState, PhysicalMemory } from "../image/physical-memory.ts";
import { u32At } from "./split-address.ts";

/**
 * x86_64 page tables: 512 entries of 8 bytes on each of four or five levels (Intel SDM volume 3, chapter 4; 5-level paging:
 * Linux 4.12 on, chosen at boot by CR4.LA57).
 */

export type PagingLevels = 4 | 5;

const PRESENT = 1;
/** Bit 7 of a PUD or PMD entry: it maps a 1 GiB or 2 MiB page itself. In a PTE the same bit is PAT and means nothing here. */
const LARGE = 0x80;
/** Bits 51..32 of an entry's address, as seen in its upper half. */
const ADDRESS_HIGH = 0xfffff;
/** 2^20: page frames that the lower half of an address can count. */
const FRAMES_IN_LOW_HALF = 0x100000;

/** Bit 1: writable, in effect where every level of a walk has it. */
const WRITABLE = 2;
/** Bit 63, seen in the upper half: not executable, in effect where any level has it. */
const NO_EXECUTE = 0x80000000;

/** Why the last walk failed. */
export interface WalkFault {
  /** `unmapped`: an entry that is not present (PROT_NONE counts as that), or an address that is not canonical. */
  reason: "unmapped" | Exclude<PageState, "present">;
  /** Page frame of the table that could not be read, or -1. */
  tablePfn: number;
}

export class PageTable {
  readonly memory: PhysicalMemory;
  readonly rootPfn: number;
  readonly levels: PagingLevels;
  /** Set by a walk that returned -1. */
  readonly fault: WalkFault = { reason: "unmapped", tablePfn: -1 };
  /** What the last successful walk's mapping allows. */
  writable = false;
  executable = false;
  readonly #highMask: number;
  // The last table of PTEs walked to: neighbouring addresses skip the upper levels. Slot: the address in 2 MiB steps.
  #leafHigh = 0;
  #leafSlot = -1;
  #leafPfn = 0;
  #leafWritable = false;
  #leafExecutable = false;

  /**
   * @param rootPfn page frame of the top table (CR3 / swapper_pg_dir)
   * @param encryptionMask bits of an entry that are AMD's memory encryption marker and not address: NUMBER(sme_mask)
   */
  constructor(memory: PhysicalMemory, rootPfn: number, levels: PagingLevels, encryptionMask = 0n) {
    this.memory = memory;
    this.rootPfn = rootPfn;
    this.levels = levels;
    this.#highMask = ADDRESS_HIGH & ~Number((encryptionMask >> 32n) & 0xffffffffn);
  }

  /** Page frame number behind a virtual address given as halves, or -1 with `fault` set. */
  walk(high: number, low: number): number {
    const sign = this.levels === 5 ? high >>> 24 : high >>> 15;
    if (sign !== 0 && sign !== (this.levels === 5 ? 0xff : 0x1ffff)) return this.#fail("unmapped", -1);
    let pfn = this.rootPfn;
    let level: number = this.levels;
    let writable = true;
    let executable = true;
    const cached = this.#leafSlot === low >>> 21 && this.#leafHigh === high;
    if (cached) {
      pfn = this.#leafPfn;
      level = 1;
      writable = this.#leafWritable;
      executable = this.#leafExecutable;
    }
    for (; level >= 1; level--) {
      if (level === 1 && !cached) {
        this.#leafHigh = high;
        this.#leafSlot = low >>> 21;
        this.#leafPfn = pfn;
        this.#leafWritable = writable;
        this.#leafExecutable = executable;
      }
      const table = this.memory.page(pfn);
      if (table === null) {
        const state = this.memory.pageState(pfn);
        // `page` may give up on a page it had thought present; by contract the state is then `lost`.
        return this.#fail(state === "present" ? "lost" : state, pfn);
      }
      const at = indexAt(level, high, low) * 8;
      const entryLow = u32At(table, at);
      if ((entryLow & PRESENT) === 0) return this.#fail("unmapped", -1);
      const entryHigh = u32At(table, at + 4);
      writable = writable && (entryLow & WRITABLE) !== 0;
      executable = executable && (entryHigh & NO_EXECUTE) === 0;
      pfn = (entryHigh & this.#highMask) * FRAMES_IN_LOW_HALF + (entryLow >>> 12);
      if ((level === 2 || level === 3) && (entryLow & LARGE) !== 0) {
        // The low address bits of a large page's entry hold PAT (bit 12) and are reserved else.
        const frames = level === 2 ? 0x200 : 0x40000;
        pfn = pfn - (pfn % frames) + ((low >>> 12) & (frames - 1));
        break;
      }
    }
    this.writable = writable;
    this.executable = executable;
    return pfn;
  }

  #fail(reason: WalkFault["reason"], tablePfn: number): -1 {
    this.fault.reason = reason;
    this.fault.tablePfn = tablePfn;
    return -1;
  }
}

/** Index into the table of a level (1: PTE … 5: PGD of 5-level paging) for a virtual address. */
function indexAt(level: number, high: number, low: number): number {
  switch (level) {
    case 1:
      return (low >>> 12) & 0x1ff;
    case 2:
      return (low >>> 21) & 0x1ff;
    case 3:
      return ((high << 2) | (low >>> 30)) & 0x1ff;
    case 4:
      return (high >>> 7) & 0x1ff;
    default:
      return (high >>> 16) & 0x1ff;
  }
}
