/**
 * A zone of memory under pressure, as Linux 2.6 kept it: all that nobody else needs holds page cache, so that a new stack is
 * found only where something is given up for it.
 *
 * Taken from the kernel (mm/page_alloc.c and mm/vmscan.c, 2.6.17 to 2.6.23):
 * - watermarks: min_free_kbytes = sqrt(16 · KiB of the zone), low = min + min/4, high = min + min/2 (`init_per_zone_pages_min`,
 *   `setup_per_zone_pages_min`);
 * - an allocation of order k passes a watermark only if enough is free in blocks of *each* order up to k, half as much with each
 *   (`zone_watermark_ok`): that is what makes two pages harder to get than one long before none are left;
 * - first down to low, then kswapd is woken and the zone may go down to min, then direct reclaim, 32 pages a round
 *   (SWAP_CLUSTER_MAX), and another look; kswapd goes on until the order it was woken for passes high (`balance_pgdat`).
 *
 * Not as in the kernel, and said wherever results are printed: reclaim is bounded by `rounds` and then the allocation fails. 2.6
 * tried on for orders up to 3 until the OOM killer found a victim, so what fails here hung or killed there; kernels since 4.7
 * do give up, after 16 rounds without progress (MAX_RECLAIM_RETRIES). Reclaim takes page cache only, clean, by random choice
 * of a file's read-ahead extent; no swap, no compaction (2.6.35), no grouping by mobility (2.6.24).
 */
import type { RandomStream } from "../random/random-stream.ts";
import { BuddyAllocator, PAGE_BYTES } from "./buddy.ts";

/** Pages that one round of direct reclaim frees: SWAP_CLUSTER_MAX. */
export const RECLAIM_PAGES = 32;
/** Pages that kswapd frees at most before others get a turn. */
const KSWAPD_PAGES = 512;

export interface ZoneSettings {
  /** Bytes of the zone; i386's lowmem was 896 MiB. */
  readonly bytes: number;
  /** Bytes at its start that are the kernel's from boot on: image, mem_map. */
  readonly kernelBytes: number;
  /** Bytes in slab and other pages that cannot move, each with a random lifetime. */
  readonly unmovableBytes: number;
  /** Mean pages that a file's read brings into the cache, and that reclaim gives up together; geometric. */
  readonly extentPages: number;
  /** Rounds of direct reclaim before an allocation fails. */
  readonly rounds: number;
}

export interface Watermarks {
  readonly min: number;
  readonly low: number;
  readonly high: number;
}

/** Pages below which a zone of so many bytes is short. */
export function watermarksOf(bytes: number): Watermarks {
  const kib = Math.floor(Math.sqrt((bytes / 1024) * 16));
  const min = Math.floor((Math.min(65536, Math.max(128, kib)) * 1024) / PAGE_BYTES);
  return { min, low: min + (min >> 2), high: min + (min >> 1) };
}

export class ZoneMemory {
  readonly settings: ZoneSettings;
  readonly marks: Watermarks;
  readonly buddy: BuddyAllocator;
  readonly #random: RandomStream;
  /** Pages of the cache in no order, and each page's place among them. */
  readonly #cache: Int32Array;
  readonly #cacheAt: Int32Array;
  #cacheCount = 0;
  /** The next page of the same extent, in a ring. */
  readonly #sibling: Int32Array;
  readonly #slab: Int32Array;
  #slabCount = 0;
  /** What kswapd is awake for; -1: it sleeps. */
  #kswapdOrder = -1;
  /** Rounds of direct reclaim so far. */
  rounds = 0;

  constructor(settings: ZoneSettings, random: RandomStream, from?: ZoneMemory) {
    const pages = Math.floor(settings.bytes / PAGE_BYTES);
    const kernel = Math.min(pages, Math.ceil(settings.kernelBytes / PAGE_BYTES));
    this.settings = settings;
    this.marks = watermarksOf(settings.bytes);
    this.#random = random;
    this.buddy = from?.buddy.clone() ?? new BuddyAllocator(pages, kernel);
    const column = (of: (from: ZoneMemory) => Int32Array) => (from ? of(from).slice() : new Int32Array(pages));
    this.#cache = column((one) => one.#cache);
    this.#cacheAt = column((one) => one.#cacheAt);
    this.#sibling = column((one) => one.#sibling);
    this.#slab = column((one) => one.#slab);
    this.#cacheCount = from === undefined ? 0 : from.#cacheCount;
    this.#slabCount = from === undefined ? 0 : from.#slabCount;
  }

  /** The same memory, for another course of events; what it draws from now on comes from `random`. */
  clone(random: RandomStream): ZoneMemory {
    return new ZoneMemory(this.settings, random, this);
  }

  get cachePages(): number {
    return this.#cacheCount;
  }

  get unmovablePages(): number {
    return this.#slabCount;
  }

  /**
   * Fills memory as a machine does that has been up for a while: cache and unmovable pages as they come until the low watermark is
   * reached, and then so many pages replaced as the zone has, `turns` times over.
   */
  age(turns: number): void {
    const { unmovableBytes, extentPages } = this.settings;
    const slabPages = Math.floor(unmovableBytes / PAGE_BYTES);
    const cachePages = Math.max(0, this.buddy.freePages - this.marks.low - slabPages);
    const slabShare = slabPages / (slabPages + cachePages / extentPages);
    while (this.#slabCount < slabPages || this.#cacheCount < cachePages) {
      const wantsSlab =
        this.#slabCount < slabPages && (this.#cacheCount >= cachePages || this.#random.uniform() < slabShare);
      if (!(wantsSlab ? this.#growSlab() : this.#readExtent())) break;
    }
    for (let replaced = 0; replaced < turns * this.buddy.pages; ) replaced += this.churn();
  }

  /** One file read into the cache, or one unmovable page replaced by a new one; the number of pages that were allocated. */
  churn(): number {
    const before = this.#cacheCount;
    const slabShare = this.#slabCount / (this.#slabCount + this.#cacheCount / this.settings.extentPages || 1);
    let pages = 1;
    if (this.#random.uniform() < slabShare) {
      if (this.#growSlab()) this.#shrinkSlab();
    } else {
      this.#readExtent();
      pages = Math.max(1, this.#cacheCount - before);
    }
    this.runKswapd();
    return pages;
  }

  /**
   * Allocates as GFP_KERNEL does; the first page, or -1 where even `rounds` rounds of direct reclaim were not enough.
   * @param order pages are 2^order
   */
  allocate(order: number): number {
    if (this.passes(order, this.marks.low)) return this.buddy.allocate(order);
    this.#kswapdOrder = Math.max(this.#kswapdOrder, order);
    for (let round = 0; !this.passes(order, this.marks.min); round++) {
      if (round === this.settings.rounds || this.#reclaim(RECLAIM_PAGES) === 0) return -1;
      this.rounds++;
    }
    return this.buddy.allocate(order);
  }

  free(page: number, order: number): void {
    this.buddy.free(page, order);
  }

  /** True where 2^order pages may be taken down to a watermark: `zone_watermark_ok`, with no lowmem reserve. */
  passes(order: number, mark: number): boolean {
    let free = this.buddy.freePages - (1 << order) + 1;
    let least = mark;
    if (free <= least) return false;
    for (let below = 0; below < order; below++) {
      free -= this.buddy.freeBlocks(below) << below;
      least >>= 1;
      if (free <= least) return false;
    }
    return true;
  }

  /** Lets kswapd work for a while, if it is awake or has to be. */
  runKswapd(): void {
    if (this.#kswapdOrder < 0) {
      if (this.buddy.freePages > this.marks.low) return;
      this.#kswapdOrder = 0;
    }
    for (let freed = 0; freed < KSWAPD_PAGES; ) {
      if (this.passes(this.#kswapdOrder, this.marks.high)) {
        this.#kswapdOrder = -1;
        return;
      }
      const now = this.#reclaim(RECLAIM_PAGES);
      if (now === 0) return;
      freed += now;
    }
  }

  #growSlab(): boolean {
    const page = this.allocate(0);
    if (page < 0) return false;
    this.#slab[this.#slabCount++] = page;
    return true;
  }

  #shrinkSlab(): void {
    const at = this.#random.below(this.#slabCount);
    const page = this.#slab[at] as number;
    this.#slab[at] = this.#slab[--this.#slabCount] as number;
    this.buddy.free(page, 0);
  }

  /** Reads a file's extent into the cache, as many pages as there is room for; false: none. */
  #readExtent(): boolean {
    const last = 1 - 1 / this.settings.extentPages;
    let first = -1;
    do {
      const page = this.allocate(0);
      if (page < 0) break;
      // That allocation may have reclaimed the very extent that is being read; it begins anew then.
      const goesOn = first >= 0 && this.#isCached(first);
      this.#cacheAt[page] = this.#cacheCount;
      this.#cache[this.#cacheCount++] = page;
      if (!goesOn) first = page;
      this.#sibling[page] = goesOn ? (this.#sibling[first] as number) : page;
      this.#sibling[first] = page;
    } while (this.#random.uniform() < last);
    return first >= 0;
  }

  #isCached(page: number): boolean {
    const at = this.#cacheAt[page] as number;
    return at < this.#cacheCount && this.#cache[at] === page;
  }

  /** Gives extents up, each page of the cache as likely to be hit as any other, until so many pages are free more. */
  #reclaim(wanted: number): number {
    let freed = 0;
    while (freed < wanted && this.#cacheCount > 0) {
      const victim = this.#cache[this.#random.below(this.#cacheCount)] as number;
      let page = victim;
      do {
        const next = this.#sibling[page] as number;
        this.#dropFromCache(page);
        this.buddy.free(page, 0);
        freed++;
        page = next;
      } while (page !== victim);
    }
    return freed;
  }

  #dropFromCache(page: number): void {
    const at = this.#cacheAt[page] as number;
    const last = this.#cache[--this.#cacheCount] as number;
    this.#cache[at] = last;
    this.#cacheAt[last] = at;
  }
}
