import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomStreams } from "../random/random-stream.ts";
import { watermarksOf, ZoneMemory, type ZoneSettings } from "./zone-memory.ts";

const MIB = 2 ** 20;
const PAGE = 4096;
const SMALL: ZoneSettings = {
  bytes: 64 * MIB,
  kernelBytes: 4 * MIB,
  unmovableBytes: 20 * MIB,
  extentPages: 4,
  rounds: 16,
};

function memory(settings: Partial<ZoneSettings> = {}, seed = 1): ZoneMemory {
  return new ZoneMemory({ ...SMALL, ...settings }, randomStreams(seed, 1)[0]!);
}

/** Takes single pages until no more are given. */
function takeAll(of: ZoneMemory, order: number): number {
  let taken = 0;
  while (of.allocate(order) >= 0) taken++;
  return taken;
}

describe("watermarks", () => {
  it.each([
    // As the kernel computes them: sqrt(16 · KiB) KiB, in pages, then a quarter and a half more.
    [896, 957, 1196, 1435],
    [64, 256, 320, 384],
    [1, 32, 40, 48],
  ])("of %i MiB", (mib, min, low, high) => {
    expect(watermarksOf(mib * MIB)).toEqual({ min, low, high });
  });

  it("ask for blocks of every order up to the wanted one", () => {
    const of = memory({ unmovableBytes: 0 });
    const { buddy } = of;
    while (buddy.freePages > 0) buddy.allocate(0);
    const free = (first: number, pages: number) => {
      for (let page = first; pages-- > 0; page += 4) buddy.free(page, 0);
    };
    free(2000, 500);
    expect([of.passes(0, 400), of.passes(0, 500), of.passes(1, 400)]).toEqual([true, false, false]);
    // The neighbours of half of them: 500 pages are in pairs now, and half of the mark is enough for those.
    free(2001, 250);
    expect([buddy.freeBlocks(0), buddy.freeBlocks(1)]).toEqual([250, 250]);
    expect([of.passes(1, 400), of.passes(1, 749), of.passes(1, 750), of.passes(2, 400)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([of.passes(1, 748), of.passes(1, 0)]).toEqual([true, true]);
  });
});

describe("memory under pressure", () => {
  it("loses no page, whatever happens in it", () => {
    const steps = fc.array(fc.oneof(fc.constant("churn" as const), fc.integer({ min: 0, max: 4 })), { maxLength: 80 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 20 }), (todo, mib, extentPages) => {
        const of = memory({ bytes: 32 * MIB, kernelBytes: MIB, unmovableBytes: mib * MIB, extentPages });
        of.age(1);
        let held = 0;
        for (const step of todo) {
          if (step === "churn") of.churn();
          else if (of.allocate(step) >= 0) held += 2 ** step;
        }
        const all = of.buddy.freePages + of.cachePages + of.unmovablePages + held + MIB / PAGE;
        expect(all).toBe((32 * MIB) / PAGE);
      }),
      { numRuns: 40 },
    );
  });

  it("fills with cache down to the low watermark, and stays about there", () => {
    const of = memory();
    of.age(2);
    expect(of.buddy.freePages).toBeLessThanOrEqual(of.marks.high + 64);
    expect(of.buddy.freePages).toBeGreaterThan(of.marks.min);
    expect(of.unmovablePages).toBe((20 * MIB) / PAGE);
  });

  it("gives single pages until nothing is left to reclaim but the reserve", () => {
    const of = memory();
    of.age(2);
    const before = of.buddy.freePages + of.cachePages;
    const taken = takeAll(of, 0);
    expect(of.cachePages).toBe(0);
    expect(taken).toBe(before - of.marks.min);
  });

  it("refuses pairs while hundreds of pages are free, where unmovable pages lie between them", () => {
    const of = memory({ unmovableBytes: 40 * MIB, extentPages: 1 });
    of.age(2);
    takeAll(of, 1);
    expect(of.buddy.freePages).toBeGreaterThan(2 * of.marks.min);
    expect(of.allocate(1)).toBe(-1);
    expect(of.allocate(0)).toBeGreaterThanOrEqual(0);
  });

  it("gives up after the rounds of reclaim that it may make", () => {
    const of = memory({ rounds: 3, extentPages: 1, unmovableBytes: 30 * MIB });
    of.age(2);
    while (of.buddy.allocate(6) >= 0);
    const before = of.rounds;
    const cached = of.cachePages;
    expect(of.allocate(6)).toBe(-1);
    expect(of.rounds - before).toBe(3);
    expect(cached - of.cachePages).toBe(3 * 32);
  });

  it("is the same for the same seed, and as a clone with the same stream", () => {
    const course = (of: ZoneMemory) => Array.from({ length: 300 }, (_, at) => [of.churn(), of.allocate(at % 3)]);
    const [one, same, other] = [memory(), memory(), memory({}, 2)];
    for (const of of [one, same, other]) of.age(1);
    const clones = [one, one].map((of) => of.clone(randomStreams(7, 1)[0]!));
    expect(course(clones[0]!)).toEqual(course(clones[1]!));
    expect(course(one)).toEqual(course(same));
    expect(course(memory({}, 1))).not.toEqual(course(other));
  });
});
