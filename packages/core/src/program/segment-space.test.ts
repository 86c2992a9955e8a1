import { describe, expect, test } from "vitest";
import { LayeredSpace, SegmentSpace } from "./segment-space.ts";

const A = 0xffffffff81000000n;
const bytes = Uint8Array.from({ length: 0x1800 }, (_, i) => i & 0xff);
/** Two that touch, zeros behind the second, one at 0, and one that would lie over the first. */
const space = new SegmentSpace([
  { start: A + 0x1000n, bytes: bytes.subarray(0x1000), size: 0x1000 },
  { start: A, bytes: bytes.subarray(0, 0x1000) },
  { start: 0n, bytes: Uint8Array.of(1, 2, 3, 4) },
  { start: A + 0x800n, bytes: new Uint8Array(16).fill(0xee) },
]);

describe("memory of segments", () => {
  test.each<[string, bigint, number, readonly number[] | null]>([
    ["inside one", A + 1n, 2, [1, 2]],
    ["across two that touch", A + 0xfffn, 2, [0xff, 0]],
    ["into the zeros", A + 0x17ffn, 2, [0xff, 0]],
    ["in the zeros", A + 0x1fffn, 1, [0]],
    ["over the end", A + 0x1fffn, 2, null],
    ["before the first", A - 1n, 2, null],
    ["at 0", 2n, 2, [3, 4]],
    ["over the end at 0", 2n, 3, null],
    ["where one lies over another", A + 0x800n, 1, [0]],
    ["a length gone wrong", A, 2 ** 40, null],
  ])("%s", (_what, address, length, wanted) => {
    const read = space.read(address, length);
    expect(read === null ? null : [...read]).toEqual(wanted);
  });

  test("numbers, also across segments and into the zeros", () => {
    expect(space.u8(A + 0x17ffn)).toBe(0xff);
    expect(space.u8(A + 0x1800n)).toBe(0);
    expect(space.u16(A + 0xfffn)).toBe(0x00ff);
    expect(space.u32(A + 0xffen)).toBe(0x0100fffe);
    expect(space.i32(A + 0xfcn)).toBe(0xfffefdfc | 0);
    expect(space.u64(A + 0x17fcn)).toBe(0xfffefdfcn);
    expect(space.u64(A + 0x1ffcn)).toBeNull();
    expect(space.i32At(-0x7f000000 + 0xffe)).toBe(0x0100fffe);
    expect(space.i32At(-0x7f000001)).toBeNull();
  });

  test("what is missing is listed, a fault for each page", () => {
    const { bytes: read, faults } = space.readSparse(A + 0x1ffen, 0x1004);
    expect(read.length).toBe(0x1004);
    expect(faults.map((fault) => fault.virtual)).toEqual([A + 0x2000n, A + 0x3000n]);
  });

  test("text ends at its NUL, and is none where it leads outside", () => {
    expect(space.cstring(A + 0x41n, 3)).toBe("ABC");
    expect(space.cstring(0n)).toBeNull();
  });
});

test("one memory in front of another", () => {
  const front = new SegmentSpace([{ start: A, bytes: Uint8Array.of(9) }]);
  const both = new LayeredSpace(front, A, A + 0x10n, space);
  expect([both.u8(A), both.u8(A + 1n), both.u8(A + 0x10n)]).toEqual([9, null, 0x10]);
});
