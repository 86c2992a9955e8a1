import { SpillwayError } from "../errors.ts";
import { PAGE_SHIFT, PAGE_SIZE, type PhysicalMemory } from "../image/physical-memory.ts";
import type { AddressSpace, MemoryFault } from "./address-space.ts";
import { PageTable, type PagingLevels } from "./page-table.ts";
import { highHalf, joinHalves, lowHalf, u32At } from "./split-address.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Entries of the software TLB, a power of two. Each keeps one page alive, so this bounds the memory it holds to 1 MiB. */
const TLB_SIZE = 256;
const OFFSET_MASK = PAGE_SIZE - 1;
/** Nothing in a kernel that is read in one piece comes near; a longer request is a length field gone wrong. */
const LONGEST_READ = 1 << 30;
/** Up to here a read allocates at once; beyond, only after every page is known to be there. */
const TRUSTED_READ = 1 << 22;
/** From so many pages on a read looks for physically neighbouring ones to fetch in one piece. */
const RUN_PAGES = 8;

/** Kernel virtual memory through x86_64 page tables in a dump's physical memory. */
export class PagedAddressSpace implements AddressSpace {
  readonly physical: PhysicalMemory;
  /** Physical address of the top page table. */
  readonly pgdPhysical: bigint;
  readonly levels: PagingLevels;
  readonly #table: PageTable;
  // Direct-mapped TLB: virtual page (both halves, offset bits cleared, bit 0 marks a used entry) -> bytes of the frame.
  readonly #tagHigh = new Uint32Array(TLB_SIZE);
  readonly #tagLow = new Uint32Array(TLB_SIZE);
  readonly #pages: (Uint8Array | null)[] = new Array(TLB_SIZE).fill(null);
  /** Frame that `#pageAt` failed to read, or -1 where the walk itself failed. */
  #missingPfn = -1;

  /**
   * @param pgdPhysical physical address of the top table; CR3's flag bits are cut off
   * @param encryptionMask AMD memory encryption bit of page table entries, `NUMBER(sme_mask)`
   */
  constructor(physical: PhysicalMemory, pgdPhysical: bigint, levels: PagingLevels, encryptionMask = 0n) {
    this.physical = physical;
    this.pgdPhysical = pgdPhysical & 0xffffffffff000n & ~encryptionMask;
    this.levels = levels;
    this.#table = new PageTable(physical, Number(this.pgdPhysical >> BigInt(PAGE_SHIFT)), levels, encryptionMask);
  }

  translate(virtual: bigint): bigint | null {
    const pfn = this.#table.walk(highHalf(virtual), lowHalf(virtual));
    return pfn < 0 ? null : physicalAddress(pfn, lowHalf(virtual) & OFFSET_MASK);
  }

  /** Whether an address may be written and executed, by its page tables; null where it is not mapped. */
  protection(virtual: bigint): { readonly writable: boolean; readonly executable: boolean } | null {
    if (this.#table.walk(highHalf(virtual), lowHalf(virtual)) < 0) return null;
    return { writable: this.#table.writable, executable: this.#table.executable };
  }

  /** The bytes of the whole page that holds the address, shared with caches: not to be written or kept. */
  view(virtual: bigint): Uint8Array | null {
    return this.#pageAt(highHalf(virtual), lowHalf(virtual));
  }

  explain(virtual: bigint): MemoryFault | null {
    const high = highHalf(virtual);
    const low = lowHalf(virtual);
    return this.#pageAt(high, low) === null ? this.#describeFault(high, low) : null;
  }

  read(virtual: bigint, length: number): Uint8Array | null {
    if (length <= 0) return new Uint8Array(0);
    if (length > LONGEST_READ) return null;
    let high = highHalf(virtual);
    let low = lowHalf(virtual);
    if (length > TRUSTED_READ && !this.#allThere(high, low, length)) return null;
    let page = this.#pageAt(high, low);
    if (page === null) return null;
    let offset = low & OFFSET_MASK;
    if (offset + length <= PAGE_SIZE) return page.slice(offset, offset + length);
    if (length >= RUN_PAGES * PAGE_SIZE) return this.#readRuns(high, low, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; ; ) {
      const count = Math.min(PAGE_SIZE - offset, length - done);
      bytes.set(count === PAGE_SIZE ? page : page.subarray(offset, offset + count), done);
      done += count;
      if (done === length) return bytes;
      low = ((low | OFFSET_MASK) + 1) >>> 0;
      if (low === 0) high = (high + 1) >>> 0;
      page = this.#pageAt(high, low);
      if (page === null) return null;
      offset = 0;
    }
  }

  readSparse(virtual: bigint, length: number): { bytes: Uint8Array; faults: MemoryFault[] } {
    if (length > LONGEST_READ) {
      throw new SpillwayError("SPW_READ_TOO_LONG", `refused to read ${length} bytes of memory at once`, {
        class: "internal",
        facts: { virtual, length, limit: LONGEST_READ },
      });
    }
    const bytes = new Uint8Array(Math.max(0, length));
    const faults: MemoryFault[] = [];
    let high = highHalf(virtual);
    let low = lowHalf(virtual);
    for (let done = 0; done < length; ) {
      const offset = low & OFFSET_MASK;
      const count = Math.min(PAGE_SIZE - offset, length - done);
      const page = this.#pageAt(high, low);
      if (page === null) faults.push(this.#describeFault(high, low));
      else bytes.set(page.subarray(offset, offset + count), done);
      done += count;
      low = ((low | OFFSET_MASK) + 1) >>> 0;
      if (low === 0) high = (high + 1) >>> 0;
    }
    return { bytes, faults };
  }

  u8(virtual: bigint): number | null {
    const low = lowHalf(virtual);
    const page = this.#pageAt(highHalf(virtual), low);
    return page === null ? null : (page[low & OFFSET_MASK] as number);
  }

  u16(virtual: bigint): number | null {
    const low = lowHalf(virtual);
    const offset = low & OFFSET_MASK;
    const page = offset <= PAGE_SIZE - 2 ? this.#pageAt(highHalf(virtual), low) : this.read(virtual, 2);
    if (page === null) return null;
    const at = offset <= PAGE_SIZE - 2 ? offset : 0;
    return (page[at] as number) | ((page[at + 1] as number) << 8);
  }

  u32(virtual: bigint): number | null {
    const low = lowHalf(virtual);
    const offset = low & OFFSET_MASK;
    if (offset > PAGE_SIZE - 4) {
      const bytes = this.read(virtual, 4);
      return bytes === null ? null : u32At(bytes, 0);
    }
    const page = this.#pageAt(highHalf(virtual), low);
    return page === null ? null : u32At(page, offset);
  }

  i32(virtual: bigint): number | null {
    const value = this.u32(virtual);
    return value === null ? null : value | 0;
  }

  u64(virtual: bigint): bigint | null {
    const low = lowHalf(virtual);
    const offset = low & OFFSET_MASK;
    if (offset > PAGE_SIZE - 8) {
      const bytes = this.read(virtual, 8);
      return bytes === null ? null : joinHalves(u32At(bytes, 4), u32At(bytes, 0));
    }
    const page = this.#pageAt(highHalf(virtual), low);
    return page === null ? null : joinHalves(u32At(page, offset + 4), u32At(page, offset));
  }

  cstring(virtual: bigint, max = 256): string | null {
    const pieces: number[] = [];
    let high = highHalf(virtual);
    let low = lowHalf(virtual);
    while (pieces.length < max) {
      const page = this.#pageAt(high, low);
      if (page === null) return null;
      for (let at = low & OFFSET_MASK; at < PAGE_SIZE && pieces.length < max; at++) {
        const byte = page[at] as number;
        if (byte === 0) return decodeUtf8(Uint8Array.from(pieces));
        pieces.push(byte);
      }
      low = ((low | OFFSET_MASK) + 1) >>> 0;
      if (low === 0) high = (high + 1) >>> 0;
    }
    return decodeUtf8(Uint8Array.from(pieces));
  }

  /** Bytes of the page that holds the address, or null with `#missingPfn` or the walk's fault saying why. */
  #pageAt(high: number, low: number): Uint8Array | null {
    const tagLow = ((low & ~OFFSET_MASK) | 1) >>> 0;
    const slot = ((low >>> PAGE_SHIFT) ^ Math.imul(high, 0x9e3779b1)) & (TLB_SIZE - 1);
    if (this.#tagLow[slot] === tagLow && this.#tagHigh[slot] === high) return this.#pages[slot] as Uint8Array;
    const pfn = this.#table.walk(high, low);
    if (pfn < 0) {
      this.#missingPfn = -1;
      return null;
    }
    const page = this.physical.page(pfn);
    if (page === null) {
      this.#missingPfn = pfn;
      return null;
    }
    this.#tagLow[slot] = tagLow;
    this.#tagHigh[slot] = high;
    this.#pages[slot] = page;
    return page;
  }

  /** Words the failure of the `#pageAt` call just made. */
  #describeFault(high: number, low: number): MemoryFault {
    const virtual = joinHalves(high, low);
    if (this.#missingPfn >= 0) {
      const state = this.physical.pageState(this.#missingPfn);
      return {
        reason: state === "present" ? "lost" : state,
        virtual,
        physical: physicalAddress(this.#missingPfn, low & OFFSET_MASK),
      };
    }
    const { reason, tablePfn } = this.#table.fault;
    return { reason, virtual, physical: tablePfn < 0 ? null : physicalAddress(tablePfn, 0) };
  }

  /** A long read: physically neighbouring pages, as the kernel image's are, come in one piece where the format can. */
  #readRuns(high: number, low: number, length: number): Uint8Array | null {
    const offset = low & OFFSET_MASK;
    const pages = Math.ceil((offset + length) / PAGE_SIZE);
    let bytes: Uint8Array | null = null;
    let pfn = this.#table.walk(high, low);
    for (let done = 0; done < pages; ) {
      if (pfn < 0) return null;
      let count = 1;
      let next = -1;
      for (; done + count < pages; count++) {
        low = ((low | OFFSET_MASK) + 1) >>> 0;
        if (low === 0) high = (high + 1) >>> 0;
        next = this.#table.walk(high, low);
        if (next !== pfn + count) break;
      }
      const run = count >= RUN_PAGES ? (this.physical.run?.(pfn, count) ?? null) : null;
      if (run !== null && count === pages) return run.subarray(offset, offset + length);
      bytes ??= new Uint8Array(pages * PAGE_SIZE);
      if (run !== null) bytes.set(run, done * PAGE_SIZE);
      for (let i = 0; i < count && run === null; i++) {
        const page = this.physical.page(pfn + i);
        if (page === null) return null;
        bytes.set(page, (done + i) * PAGE_SIZE);
      }
      done += count;
      pfn = next;
    }
    return bytes === null ? null : bytes.subarray(offset, offset + length);
  }

  /** True where every page of the range is mapped and present. */
  #allThere(high: number, low: number, length: number): boolean {
    for (let left = length + (low & OFFSET_MASK); left > 0; left -= PAGE_SIZE) {
      const pfn = this.#table.walk(high, low);
      if (pfn < 0 || this.physical.pageState(pfn) !== "present") return false;
      low = ((low | OFFSET_MASK) + 1) >>> 0;
      if (low === 0) high = (high + 1) >>> 0;
    }
    return true;
  }
}

function physicalAddress(pfn: number, offset: number): bigint {
  return BigInt(pfn) * BigInt(PAGE_SIZE) + BigInt(offset);
}
