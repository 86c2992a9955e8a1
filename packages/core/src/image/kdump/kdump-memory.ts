import type { ByteSource } from "../../bytes/byte-source.ts";
import { COMPRESSION_FLAGS, type CodecTable } from "../codec/codecs.ts";
import { missingIn } from "../holes.ts";
import { PageCache } from "../page-cache.ts";
import { PAGE_SIZE, type PageState, type PfnRange, type PhysicalMemory } from "../physical-memory.ts";
import { BitmapRank } from "./bitmap-rank.ts";
import type { KdumpHeader } from "./kdump-header.ts";
import { type PageDescriptor, PageDescriptors } from "./page-descriptors.ts";

const CACHED_PAGES = 256;
/** A page of one repeated byte compresses to less than this in every codec; only such pages are tested for zero. */
const SMALL_ENOUGH_FOR_ZEROS = 128;
/** Beyond this many damaged pages each is decoded again when asked about, so that memory stays bounded. */
const REMEMBERED_DAMAGE = 65536;
/** Bitmaps larger than this (4 TiB of memory) are not counted through just to look for the last page. */
const COUNTED_BITMAP_BYTES = 128 << 20;

/** One file of a kdump-compressed dump: all of it, or a part of a split set. */
export interface KdumpPart {
  readonly source: ByteSource;
  readonly header: KdumpHeader;
}

interface Part {
  readonly source: ByteSource;
  readonly startPfn: number;
  readonly endPfn: number;
  readonly dumped: BitmapRank;
  readonly descriptors: PageDescriptors;
  readonly descriptorOffset: number;
  readonly bitmapLength: number;
  /** Rank of `startPfn`: descriptors of a split file begin with its own first page. -1 until asked for. */
  baseRank: number;
  /** Data offset of this file's shared zero page, once seen. */
  zeroOffset: number;
}

/** Physical memory in kdump-compressed files, one page at a time. */
export class KdumpMemory implements PhysicalMemory {
  readonly maxPfn: number;
  readonly #parts: readonly Part[];
  readonly #ram: BitmapRank | null;
  readonly #codecs: CodecTable;
  readonly #cache = new PageCache(CACHED_PAGES);
  readonly #damaged = new Set<number>();
  #zeroPage: Uint8Array | null = null;

  /** @param parts in ascending order of page frames; a set with gaps is fine, the pages in them are lost */
  constructor(parts: readonly KdumpPart[], codecs: CodecTable) {
    const first = parts[0]!;
    this.maxPfn = first.header.maxPfn;
    this.#codecs = codecs;
    this.#ram =
      first.header.ramBitmapOffset === null
        ? null
        : new BitmapRank(first.source, first.header.ramBitmapOffset, this.maxPfn);
    this.#parts = parts.map(({ source, header }) => ({
      source,
      startPfn: header.split?.startPfn ?? 0,
      endPfn: Math.min(header.split?.endPfn ?? header.maxPfn, header.maxPfn),
      dumped: new BitmapRank(source, header.dumpedBitmapOffset, header.maxPfn),
      descriptors: new PageDescriptors(source, header.descriptorOffset),
      descriptorOffset: header.descriptorOffset,
      bitmapLength: header.bitmapLength,
      baseRank: -1,
      zeroOffset: -1,
    }));
  }

  pageState(pfn: number): PageState {
    if (!(pfn >= 0) || pfn >= this.maxPfn) return "absent";
    const part = this.#partOf(pfn);
    if (part === null) {
      // Every file of a set has the whole bitmap, so a missing file's pages are known by it.
      return this.#parts[0]!.dumped.test(pfn) ? "lost" : this.#notDumped(pfn);
    }
    if (!part.dumped.test(pfn)) return this.#notDumped(pfn);
    if (this.#damaged.has(pfn) || this.#descriptor(part, pfn) === null) return "lost";
    if (this.#damaged.size >= REMEMBERED_DAMAGE && this.page(pfn) === null) return "lost";
    return "present";
  }

  page(pfn: number): Uint8Array | null {
    const cached = this.#cache.get(pfn);
    if (cached !== undefined) return cached;
    const part = this.#partOf(pfn);
    if (part === null || !part.dumped.test(pfn) || this.#damaged.has(pfn)) return null;
    const descriptor = this.#descriptor(part, pfn);
    if (descriptor === null) return null;
    if (descriptor.offset === part.zeroOffset) return this.#zeroPage;
    const page = this.#decode(part, descriptor);
    if (page === null) {
      if (this.#damaged.size < REMEMBERED_DAMAGE) this.#damaged.add(pfn);
      return null;
    }
    if (descriptor.size <= SMALL_ENOUGH_FOR_ZEROS && isZero(page)) {
      // All zero pages share one copy in the file; share it in memory too and keep the cache for others.
      this.#zeroPage ??= page;
      part.zeroOffset = descriptor.offset;
      return this.#zeroPage;
    }
    this.#cache.set(pfn, page);
    return page;
  }

  *presentRanges(): Iterable<PfnRange> {
    for (const part of this.#parts) {
      let from = -1;
      for (let run = part.dumped.next(part.startPfn, true); run < part.endPfn; run = part.dumped.next(run, true)) {
        const end = Math.min(part.dumped.next(run, false), part.endPfn);
        for (let pfn = run; pfn < end; pfn++) {
          const present = !this.#damaged.has(pfn) && this.#descriptor(part, pfn) !== null;
          if (present && from < 0) from = pfn;
          if (!present && from >= 0) {
            yield { startPfn: from, endPfn: pfn };
            from = -1;
          }
        }
        if (from >= 0) yield { startPfn: from, endPfn: end };
        from = -1;
        run = end;
      }
    }
  }

  *ramRanges(): Iterable<PfnRange> {
    const ram = this.#ram ?? this.#parts[0]!.dumped;
    for (let startPfn = ram.next(0, true); startPfn < this.maxPfn; ) {
      const endPfn = Math.min(ram.next(startPfn, false), this.maxPfn);
      yield { startPfn, endPfn };
      startPfn = ram.next(endPfn, true);
    }
  }

  /**
   * The lowest file offset known to be needed and not there, per file that is cut short: where the descriptors, or the
   * data of the last pages, reach past the end. Looks at the last descriptors only.
   */
  truncations(): { readonly name: string; readonly size: number; readonly needed: number }[] {
    const found = [];
    for (const part of this.#parts) {
      if (part.bitmapLength > COUNTED_BITMAP_BYTES) continue;
      const count = part.dumped.rank(part.endPfn) - this.#baseRank(part);
      const size = part.source.size;
      let needed = part.descriptorOffset + count * 24;
      for (let index = Math.max(0, count - 64); index < count; index++) {
        const descriptor = part.descriptors.get(index);
        if (descriptor === null) continue;
        if (descriptor.size <= PAGE_SIZE) needed = Math.max(needed, descriptor.offset + descriptor.size);
      }
      if (needed > size) found.push({ name: part.source.name, size, needed });
    }
    return found;
  }

  #notDumped(pfn: number): PageState {
    // Without a first bitmap nothing tells a hole from RAM that was left out; "excluded" would claim too much.
    return this.#ram?.test(pfn) ? "excluded" : "absent";
  }

  #partOf(pfn: number): Part | null {
    let low = 0;
    let high = this.#parts.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const part = this.#parts[middle]!;
      if (pfn < part.startPfn) high = middle - 1;
      else if (pfn >= part.endPfn) low = middle + 1;
      else return part;
    }
    return null;
  }

  #baseRank(part: Part): number {
    if (part.baseRank < 0) part.baseRank = part.dumped.rank(part.startPfn);
    return part.baseRank;
  }

  /** The descriptor of a dumped frame, or null where it or its data is not in the file. */
  #descriptor(part: Part, pfn: number): PageDescriptor | null {
    const descriptor = part.descriptors.get(part.dumped.rank(pfn) - this.#baseRank(part));
    // Offset 0 is the main header: an incomplete dump's lost pages have it (makedumpfile IMPLEMENTATION).
    if (descriptor === null || descriptor.offset === 0) return null;
    if (descriptor.size === 0 || descriptor.size > PAGE_SIZE) return null;
    if (descriptor.offset + descriptor.size > part.source.size) return null;
    return missingIn(part.source, descriptor.offset, descriptor.size) ? null : descriptor;
  }

  #decode(part: Part, descriptor: PageDescriptor): Uint8Array | null {
    const data = part.source.read(descriptor.offset, descriptor.size);
    if (data.length !== descriptor.size) return null;
    const method = descriptor.flags & COMPRESSION_FLAGS;
    if (method === 0) return data.length === PAGE_SIZE ? data : null;
    const codec = this.#codecs.get(method);
    if (codec === undefined) return null;
    try {
      return codec.decompress(data, PAGE_SIZE);
    } catch {
      return null;
    }
  }
}

function isZero(page: Uint8Array): boolean {
  for (let i = 0; i < page.length; i++) if (page[i] !== 0) return false;
  return true;
}
