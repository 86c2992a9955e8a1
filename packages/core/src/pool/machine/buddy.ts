/**
 * The buddy allocator of Linux' page allocator (mm/page_alloc.c), for one zone: free blocks of 2^order pages, each aligned to its
 * size, on a list for each order. An allocation takes the first block of the smallest order that has one and splits it, the
 * upper halves going to the front of their lists; a freed block is merged with its buddy as long as that is free as a whole,
 * and goes to the front of its list. That is `expand` and `__free_one_page` as they were in 2.6.17 to 2.6.23: one list an order
 * whatever the use (grouping by mobility came with 2.6.24), freed pages first out again. Not modelled: per-CPU lists of single
 * pages, which keep a few hundred pages and change no block of two or more.
 */

/** MAX_ORDER was 11 on i386 (include/linux/mmzone.h): the largest block has 2^10 pages, 4 MiB. */
export const MAX_ORDER = 10;
/** Bytes of a page on x86. */
export const PAGE_BYTES = 4096;

const NONE = -1;
/** In `#order`: the page is not the first one of a free block. */
const NOT_FREE_HEAD = 255;

export class BuddyAllocator {
  readonly pages: number;
  #freePages = 0;
  /** Of the first page of a free block, its order. */
  readonly #order: Uint8Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #first: Int32Array;
  readonly #blocks: Int32Array;

  /**
   * @param pages of the zone, numbered from 0
   * @param firstFree pages below are taken for good (the kernel's image); the others are free, in blocks as large as fit
   */
  constructor(pages: number, firstFree = 0) {
    this.pages = pages;
    this.#order = new Uint8Array(pages).fill(NOT_FREE_HEAD);
    this.#next = new Int32Array(pages);
    this.#previous = new Int32Array(pages);
    this.#first = new Int32Array(MAX_ORDER + 1).fill(NONE);
    this.#blocks = new Int32Array(MAX_ORDER + 1);
    this.#freePages = pages - firstFree;
    for (let page = firstFree; page < pages; ) {
      let order = 0;
      while (order < MAX_ORDER && page % (2 << order) === 0 && page + (2 << order) <= pages) order++;
      this.#push(page, order);
      page += 1 << order;
    }
  }

  get freePages(): number {
    return this.#freePages;
  }

  /** Free blocks of exactly this order. */
  freeBlocks(order: number): number {
    return this.#blocks[order] as number;
  }

  /** Takes 2^order pages; the first one's number, or -1 where no block is large enough. */
  allocate(order: number): number {
    for (let from = order; from <= MAX_ORDER; from++) {
      const page = this.#first[from] as number;
      if (page === NONE) continue;
      this.#unlink(page, from);
      for (let half = from - 1; half >= order; half--) this.#push(page + (1 << half), half);
      this.#freePages -= 1 << order;
      return page;
    }
    return -1;
  }

  /** Gives 2^order pages back that `allocate` gave; a part of such a block may come back alone if it is aligned to its size. */
  free(page: number, order: number): void {
    this.#freePages += 1 << order;
    let block = page;
    let size = order;
    while (size < MAX_ORDER) {
      const buddy = block ^ (1 << size);
      if (buddy + (1 << size) > this.pages || this.#order[buddy] !== size) break;
      this.#unlink(buddy, size);
      block &= ~(1 << size);
      size++;
    }
    this.#push(block, size);
  }

  /** The free blocks of an order, in the order of the list: what would be taken first comes first. */
  *blocksOf(order: number): Generator<number> {
    for (let page = this.#first[order] as number; page !== NONE; page = this.#next[page] as number) yield page;
  }

  /** An allocator in the same state, independent from then on. */
  clone(): BuddyAllocator {
    const copy = new BuddyAllocator(this.pages, this.pages);
    copy.#order.set(this.#order);
    copy.#next.set(this.#next);
    copy.#previous.set(this.#previous);
    copy.#first.set(this.#first);
    copy.#blocks.set(this.#blocks);
    copy.#freePages = this.#freePages;
    return copy;
  }

  #push(page: number, order: number): void {
    const head = this.#first[order] as number;
    this.#order[page] = order;
    this.#previous[page] = NONE;
    this.#next[page] = head;
    if (head !== NONE) this.#previous[head] = page;
    this.#first[order] = page;
    this.#blocks[order] = (this.#blocks[order] as number) + 1;
  }

  #unlink(page: number, order: number): void {
    const next = this.#next[page] as number;
    const previous = this.#previous[page] as number;
    if (previous === NONE) this.#first[order] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
    this.#order[page] = NOT_FREE_HEAD;
    this.#blocks[order] = (this.#blocks[order] as number) - 1;
  }
}
