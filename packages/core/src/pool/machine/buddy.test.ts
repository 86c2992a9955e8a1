import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BuddyAllocator, MAX_ORDER } from "./buddy.ts";

/** The same allocator written naively: free blocks as plain lists, searched from end to end. */
class NaiveBuddy {
  readonly lists: number[][] = Array.from({ length: MAX_ORDER + 1 }, () => []);
  readonly pages: number;

  constructor(pages: number, firstFree: number) {
    this.pages = pages;
    for (let page = firstFree; page < pages; ) {
      const fits = this.lists.map((_, order) => order).filter((o) => page % 2 ** o === 0 && page + 2 ** o <= pages);
      const order = Math.max(...fits);
      this.lists[order]!.unshift(page);
      page += 2 ** order;
    }
  }

  allocate(order: number): number {
    const from = this.lists.findIndex((list, size) => size >= order && list.length > 0);
    if (from < 0) return -1;
    const page = this.lists[from]!.shift()!;
    for (let half = from - 1; half >= order; half--) this.lists[half]!.unshift(page + 2 ** half);
    return page;
  }

  free(page: number, order: number): void {
    const start = Math.floor(page / 2 ** (order + 1)) * 2 ** (order + 1);
    const buddy = page === start ? start + 2 ** order : start;
    const at = order < MAX_ORDER ? this.lists[order]!.indexOf(buddy) : -1;
    if (at < 0) {
      this.lists[order]!.unshift(page);
      return;
    }
    this.lists[order]!.splice(at, 1);
    this.free(start, order + 1);
  }
}

/** Of every order the free blocks, in the list's order. */
function listsOf(buddy: BuddyAllocator): number[][] {
  return Array.from({ length: MAX_ORDER + 1 }, (_, order) => [...buddy.blocksOf(order)]);
}

/** A step: an allocation of that order, or the freeing of one of the blocks that are held. */
const steps = fc.array(
  fc.oneof(
    fc.record({ allocate: fc.integer({ min: 0, max: MAX_ORDER }) }),
    fc.record({ allocate: fc.integer({ min: 0, max: 1 }) }),
    fc.record({ free: fc.nat() }),
  ),
  { maxLength: 300 },
);
const zone = fc
  .integer({ min: 1, max: 3000 })
  .chain((pages) => fc.record({ pages: fc.constant(pages), firstFree: fc.nat({ max: pages }) }));

describe("buddy allocator", () => {
  it("does what a naive one does, block for block", () => {
    fc.assert(
      fc.property(zone, steps, ({ pages, firstFree }, todo) => {
        const buddy = new BuddyAllocator(pages, firstFree);
        const naive = new NaiveBuddy(pages, firstFree);
        const held: { page: number; order: number }[] = [];
        for (const step of todo) {
          if ("allocate" in step) {
            const page = buddy.allocate(step.allocate);
            expect(page).toBe(naive.allocate(step.allocate));
            if (page >= 0) held.push({ page, order: step.allocate });
          } else if (held.length > 0) {
            const [block] = held.splice(step.free % held.length, 1);
            buddy.free(block!.page, block!.order);
            naive.free(block!.page, block!.order);
          }
        }
        expect(listsOf(buddy)).toEqual(naive.lists);
      }),
    );
  });

  it("gives aligned blocks that never overlap, keeps count, and is whole again when all is freed", () => {
    fc.assert(
      fc.property(zone, steps, ({ pages, firstFree }, todo) => {
        const buddy = new BuddyAllocator(pages, firstFree);
        const whole = listsOf(buddy).map((list) => list.toSorted((a, b) => a - b));
        const owner = new Int32Array(pages).fill(-1);
        const held: { page: number; order: number }[] = [];
        let taken = 0;
        for (const [at, step] of todo.entries()) {
          if ("allocate" in step) {
            const order = step.allocate;
            const page = buddy.allocate(order);
            if (page < 0) continue;
            expect(page % 2 ** order).toBe(0);
            expect(page).toBeGreaterThanOrEqual(firstFree);
            expect(owner.subarray(page, page + 2 ** order).every((one) => one === -1)).toBe(true);
            owner.fill(at, page, page + 2 ** order);
            held.push({ page, order });
            taken += 2 ** order;
          } else if (held.length > 0) {
            const [block] = held.splice(step.free % held.length, 1);
            buddy.free(block!.page, block!.order);
            owner.fill(-1, block!.page, block!.page + 2 ** block!.order);
            taken -= 2 ** block!.order;
          }
          expect(buddy.freePages).toBe(pages - firstFree - taken);
          const listed = listsOf(buddy).reduce((sum, list, order) => sum + list.length * 2 ** order, 0);
          expect(listed).toBe(buddy.freePages);
        }
        for (const { page, order } of held) buddy.free(page, order);
        expect(listsOf(buddy).map((list) => list.toSorted((a, b) => a - b))).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it("never refuses a single page before memory is full", () => {
    fc.assert(
      fc.property(zone, fc.nat(), ({ pages, firstFree }, order) => {
        const buddy = new BuddyAllocator(pages, firstFree);
        while (buddy.allocate(order % (MAX_ORDER + 1)) >= 0);
        while (buddy.freePages > 0) expect(buddy.allocate(0)).toBeGreaterThanOrEqual(0);
        expect(buddy.allocate(0)).toBe(-1);
      }),
    );
  });

  it("has half of memory free and no two pages together, when every other page is freed", () => {
    const buddy = new BuddyAllocator(1024);
    const pages = Array.from({ length: 1024 }, () => buddy.allocate(0));
    for (const page of pages) if (page % 2 === 0) buddy.free(page, 0);
    expect(buddy.freePages).toBe(512);
    expect(buddy.allocate(1)).toBe(-1);
    expect(buddy.allocate(0)).toBeGreaterThanOrEqual(0);
  });

  it("takes parts of a block back one by one", () => {
    const buddy = new BuddyAllocator(8);
    const page = buddy.allocate(3);
    for (let at = 0; at < 8; at++) buddy.free(page + at, 0);
    expect(buddy.freeBlocks(3)).toBe(1);
  });

  it("goes its own way as a clone", () => {
    const buddy = new BuddyAllocator(64);
    buddy.allocate(0);
    const copy = buddy.clone();
    expect(listsOf(copy)).toEqual(listsOf(buddy));
    copy.allocate(2);
    expect([copy.freePages, buddy.freePages]).toEqual([59, 63]);
    expect(buddy.freeBlocks(2)).toBe(1);
  });
});
