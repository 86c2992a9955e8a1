import type { AddressSpace } from "../memory/address-space.ts";
import { u32At } from "../memory/split-address.ts";
import type { RawOrc } from "./orc-calibrate.ts";
import { ORC_ENTRY_SIZE } from "./orc-layout.ts";
import { orderOrc } from "./orc-order.ts";

const CHUNK = 4096;
/** Chunks kept of each table; a backtrace's binary searches share their first dozen. */
const MAX_CHUNKS = 64;

/** A whole section, for passes over all code. */
export interface OrcColumns {
  /** Where each entry starts, in bytes from the start of the ip table. */
  readonly relative: Int32Array;
  readonly spOffset: Int16Array;
  readonly flags: Uint16Array;
}

/** What `OrcSection.sort` had to do. */
export interface OrcDisorder {
  /** Entries that a lower address followed. */
  readonly unsorted: number;
  /** Entries about no code of the section's, which are left out. */
  readonly outside: number;
}

/**
 * The two parallel arrays of one ORC section, read where they are touched: `ip[i]`, an s32 relative to its own address and
 * sorted by what it points at, and `orc[i]`, six bytes. Sorted at build time (57fa18994285, 5.6) or at boot before that.
 */
export class OrcSection {
  #count: number;
  readonly #ip: ChunkReader;
  readonly #orc: ChunkReader;
  /** Address of the ip table. */
  readonly base: bigint;
  readonly #orcBase: bigint;
  readonly #space: AddressSpace;
  #columns: OrcColumns | null | undefined;
  /** Where each entry stands in the table; null where it is in order. */
  #order: Uint32Array | null = null;

  constructor(space: AddressSpace, ipBase: bigint, orcBase: bigint, count: number) {
    this.#count = count;
    this.base = ipBase;
    this.#orcBase = orcBase;
    this.#space = space;
    this.#ip = new ChunkReader(space, ipBase, count * 4);
    this.#orc = new ChunkReader(space, orcBase, count * ORC_ENTRY_SIZE);
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Puts the entries in the order of their addresses, as a kernel that was linked and never booted may need it (before 5.6,
   * `unwind_init` sorts them in memory).
   * @param start and `end`: of the code that the section is about
   */
  sort(start: bigint, end: bigint): OrcDisorder {
    const columns = this.columns();
    if (columns === null || this.#order !== null || this.#count === 0) return { unsorted: 0, outside: 0 };
    const { relative, spOffset, flags } = columns;
    const low = Number(start - this.base);
    const high = Number(end - this.base);
    let unsorted = 0;
    for (let i = 1; i < relative.length; i++) if (relative[i]! < relative[i - 1]!) unsorted++;
    if (unsorted === 0 && relative[0]! >= low && relative.at(-1)! <= high) return { unsorted, outside: 0 };
    const order = Uint32Array.from(relative, (_, i) => i).filter((i) => relative[i]! >= low && relative[i]! <= high);
    this.#order = orderOrc(order, relative, flags);
    this.#count = order.length;
    this.#columns = {
      relative: Int32Array.from(order, (i) => relative[i]!),
      spOffset: Int16Array.from(order, (i) => spOffset[i]!),
      flags: Uint16Array.from(order, (i) => flags[i]!),
    };
    return { unsorted, outside: relative.length - order.length };
  }

  /** All of it at once; null where a part cannot be read. */
  columns(): OrcColumns | null {
    if (this.#columns === undefined) this.#columns = this.#readWhole();
    return this.#columns;
  }

  #readWhole(): OrcColumns | null {
    const { count } = this;
    const ip = this.#space.read(this.base, count * 4);
    const orc = ip === null ? null : this.#space.read(this.#orcBase, count * ORC_ENTRY_SIZE);
    if (ip === null || orc === null) return null;
    const relative = new Int32Array(count);
    const spOffset = new Int16Array(count);
    const flags = new Uint16Array(count);
    for (let i = 0; i < count; i++) {
      relative[i] = i * 4 + u32At(ip, i * 4);
      const at = i * ORC_ENTRY_SIZE;
      spOffset[i] = orc[at]! | (orc[at + 1]! << 8);
      flags[i] = orc[at + 4]! | (orc[at + 5]! << 8);
    }
    return { relative, spOffset, flags };
  }

  /** Start of entry `i` relative to the ip table in bytes, or null where unreadable. */
  #relative(i: number): number | null {
    const at = (this.#order?.[i] ?? i) * 4;
    const low = this.#ip.u16(at);
    const high = this.#ip.u16(at + 2);
    return low === null || high === null ? null : at + ((high << 16) | low);
  }

  /** First address that entry `i` covers. */
  startOf(i: number): bigint | null {
    if (i < 0 || i >= this.count) return null;
    const relative = this.#relative(i);
    return relative === null ? null : this.base + BigInt(relative);
  }

  /**
   * Index of the entry in force at `pc`: the last one that starts at or below it. Of several that start at one address the
   * last is the real one; terminators of sections are sorted before it. Null below the first entry or where unreadable.
   */
  indexFor(pc: bigint): number | null {
    const difference = pc - this.base;
    if (difference > 1n << 40n || difference < -(1n << 40n)) return null;
    const target = Number(difference);
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const relative = this.#relative(middle);
      if (relative === null) return null;
      if (relative <= target) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : low - 1;
  }

  entry(i: number): RawOrc | null {
    if (i < 0 || i >= this.count) return null;
    const at = (this.#order?.[i] ?? i) * ORC_ENTRY_SIZE;
    const sp = this.#orc.u16(at);
    const bp = this.#orc.u16(at + 2);
    const flags = this.#orc.u16(at + 4);
    if (sp === null || bp === null || flags === null) return null;
    return { spOffset: (sp << 16) >> 16, bpOffset: (bp << 16) >> 16, flags };
  }

  /** Up to `length` readable entries from `from`. */
  entries(from: number, length: number): RawOrc[] {
    const result: RawOrc[] = [];
    for (let i = from; i < Math.min(this.count, from + length); i++) {
      const raw = this.entry(i);
      if (raw !== null) result.push(raw);
    }
    return result;
  }
}

/** Index of the last of ascending numbers that is not above `target`; -1 where all are. */
export function lastNotAfter(ascending: Int32Array, target: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= target) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** 16-bit reads at even offsets into a range of virtual memory, which may itself begin at an odd address; bounded cache. */
class ChunkReader {
  readonly #space: AddressSpace;
  readonly #base: bigint;
  readonly #length: number;
  readonly #chunks = new Map<number, Uint8Array | null>();
  #last = -1;
  #lastBytes: Uint8Array | null = null;

  constructor(space: AddressSpace, base: bigint, length: number) {
    this.#space = space;
    this.#base = base;
    this.#length = length;
  }

  u16(offset: number): number | null {
    const chunk = Math.floor(offset / CHUNK);
    if (chunk !== this.#last) {
      this.#lastBytes = this.#load(chunk);
      this.#last = chunk;
    }
    const bytes = this.#lastBytes;
    if (bytes === null) return null;
    const at = offset - chunk * CHUNK;
    if (at + 1 >= bytes.length) return null;
    return bytes[at]! | (bytes[at + 1]! << 8);
  }

  #load(chunk: number): Uint8Array | null {
    const cached = this.#chunks.get(chunk);
    if (cached !== undefined) return cached;
    const from = chunk * CHUNK;
    const length = Math.min(CHUNK, this.#length - from);
    const bytes = length <= 0 ? null : this.#space.read(this.#base + BigInt(from), length);
    if (this.#chunks.size >= MAX_CHUNKS) {
      // Oldest first: Map keeps the order of insertion.
      const oldest = this.#chunks.keys().next().value;
      if (oldest !== undefined) this.#chunks.delete(oldest);
    }
    this.#chunks.set(chunk, bytes);
    return bytes;
  }
}
