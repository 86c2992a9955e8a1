import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ByteSource, MemorySource } from "../../bytes/byte-source.ts";
import { BitmapRank } from "./bitmap-rank.ts";

function bitmapOf(bits: ReadonlySet<number>, length: number, offset = 0): BitmapRank {
  const bytes = new Uint8Array(offset + Math.ceil(length / 8));
  bytes.fill(0xff, 0, offset);
  for (const bit of bits) bytes[offset + (bit >> 3)] = bytes[offset + (bit >> 3)]! | (1 << (bit & 7));
  return new BitmapRank(new MemorySource(bytes), offset, length);
}

describe("a bitmap in a file", () => {
  test("ranks, tests and finds like a set of numbers", () => {
    const length = 200_000;
    const runs = fc.array(fc.tuple(fc.nat(length - 1), fc.nat(3000)), { maxLength: 20 });
    fc.assert(
      fc.property(runs, fc.array(fc.nat(length - 1), { minLength: 1, maxLength: 20 }), (pieces, asked) => {
        const bits = new Set<number>();
        for (const [start, count] of pieces) for (let i = start; i < Math.min(length, start + count); i++) bits.add(i);
        const sorted = [...bits].sort((a, b) => a - b);
        const bitmap = bitmapOf(bits, length, 13);
        for (const index of asked) {
          expect(bitmap.test(index)).toBe(bits.has(index));
          expect(bitmap.rank(index)).toBe(sorted.filter((bit) => bit < index).length);
          expect(bitmap.next(index, true)).toBe(sorted.find((bit) => bit >= index) ?? length);
          let clear = index;
          while (clear < length && bits.has(clear)) clear++;
          expect(bitmap.next(index, false)).toBe(clear);
        }
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  test.each([
    [0, 0],
    [1, 1],
    [32, 32],
    [32_768, 32_768],
    [32_769, 32_769],
    [99_999, 99_999],
    [100_000, 100_000],
  ])("full, rank(%i) is %i", (index, rank) => {
    const bytes = new Uint8Array(12_500).fill(0xff);
    expect(new BitmapRank(new MemorySource(bytes), 0, 100_000).rank(index)).toBe(rank);
  });

  test("answers false outside", () => {
    const bitmap = bitmapOf(new Set([0, 9]), 10);
    expect([-1, 10, 1e12, Number.NaN].map((index) => bitmap.test(index))).toEqual([false, false, false, false]);
  });

  test("reads one block to test a bit, and only the blocks below to rank one", () => {
    let read = 0;
    const source: ByteSource = {
      name: "counting",
      size: 1 << 24,
      read(_offset, length) {
        read += length;
        return new Uint8Array(length).fill(0x11);
      },
    };
    const bitmap = new BitmapRank(source, 0, 1 << 27);
    bitmap.test(100_000_000);
    expect(read).toBe(4096);
    read = 0;
    expect(bitmap.rank(10 * 32_768 + 8)).toBe(10 * 8192 + 2);
    expect(read).toBe(11 * 4096);
    read = 0;
    bitmap.rank(5 * 32_768 + 8);
    expect(read).toBe(4096);
  });
});
