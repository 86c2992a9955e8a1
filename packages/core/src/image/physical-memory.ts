/**
 * Physical memory as a dump holds it. Missing memory is a value, not an exception: every page frame has a state.
 */

/** Page frame size of x86_64 in bytes; dumps with another block size are turned into this at the edge. */
export const PAGE_SIZE = 4096;
export const PAGE_SHIFT = 12;

/**
 * - `present`: its bytes are in the dump;
 * - `excluded`: RAM, left out on purpose (makedumpfile's dump level, or our own extract);
 * - `lost`: RAM that the dump should hold, but the file is incomplete, truncated or damaged there;
 * - `absent`: no RAM is known at that address.
 */
export type PageState = "present" | "excluded" | "lost" | "absent";

/** A run of page frames `[startPfn, endPfn)`. */
export interface PfnRange {
  readonly startPfn: number;
  readonly endPfn: number;
}

export interface PhysicalMemory {
  /** One more than the highest page frame number that may be RAM. */
  readonly maxPfn: number;
  pageState(pfn: number): PageState;
  /**
   * The PAGE_SIZE bytes of a page frame, or null where it is not `present` (or turns out damaged when decompressed, after
   * which `pageState` says `lost`). Shared with a cache: callers never write into it. Bytes of a page that the dump holds
   * only in part (a segment that starts or ends inside a page) read as zero.
   */
  page(pfn: number): Uint8Array | null;
  /**
   * The bytes of `count` neighbouring page frames in one piece, past the cache, for large tables; null where they are not
   * all present, or not stored in one piece. Formats that cannot do better than `page` leave it out. The array belongs to
   * the caller.
   */
  run?(pfn: number, count: number): Uint8Array | null;
  /** Runs of present page frames in ascending order, lazily. */
  presentRanges(): Iterable<PfnRange>;
  /**
   * Runs of page frames that are RAM, in the dump or not, in ascending order, lazily. Left out where nothing is known
   * beyond the present ones.
   */
  ramRanges?(): Iterable<PfnRange>;
}
