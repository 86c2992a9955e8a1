import { expect, test } from "vitest";
import { Reader } from "./dwarf/reader.ts";
import { findInLoc, findInLoclists } from "./location-list.ts";

const quad = (value: bigint) =>
  Array.from({ length: 8 }, (_, index) => Number((BigInt.asUintN(64, value) >> BigInt(8 * index)) & 0xffn));
const BASE = 0xffffffff81000000n;
const context = (offset: number) => ({
  pc: BASE + BigInt(offset),
  base: BASE,
  indexed: (index: number) => (index < 3 ? BASE + BigInt(index * 0x100) : null),
});

test.each<[string, number[], number, number[] | null]>([
  ["offset_pair", [4, 0x10, 0x20, 1, 0x50, 0], 0x10, [0x50]],
  ["its end is not in it", [4, 0x10, 0x20, 1, 0x50, 0], 0x20, null],
  ["the second entry", [4, 0, 0x10, 1, 0x50, 4, 0x10, 0x20, 2, 0x31, 0x9f, 0], 0x1f, [0x31, 0x9f]],
  ["an empty range holds nowhere", [4, 0x10, 0x10, 1, 0x50, 4, 0x10, 0x11, 1, 0x51, 0], 0x10, [0x51]],
  ["base_address", [6, ...quad(BASE + 0x1000n), 4, 0, 0x10, 1, 0x50, 0], 0x1008, [0x50]],
  ["base_addressx", [1, 2, 4, 0, 0x10, 1, 0x50, 0], 0x208, [0x50]],
  [
    "a base that is not there",
    [1, 9, 4, 0, 0x10, 1, 0x50, 7, ...quad(BASE), ...quad(BASE + 9n), 1, 0x51, 0],
    4,
    [0x51],
  ],
  ["startx_endx", [2, 1, 2, 1, 0x50, 0], 0x1ff, [0x50]],
  ["startx_length", [3, 1, 8, 1, 0x50, 0], 0x107, [0x50]],
  ["start_length", [8, ...quad(BASE + 4n), 4, 1, 0x50, 0], 7, [0x50]],
  ["default_location", [5, 1, 0x52, 4, 0, 4, 1, 0x50, 0], 0x40, [0x52]],
  ["views are passed over", [9, 1, 2, 4, 0, 4, 1, 0x50, 0], 0, [0x50]],
  ["an unknown kind ends it", [0x33, 4, 0, 4, 1, 0x50, 0], 0, null],
])("loclists: %s", (_what, bytes, offset, expression) => {
  const found = findInLoclists(new Reader(Uint8Array.from(bytes)), context(offset));
  expect(found === null ? null : [...found]).toEqual(expression);
});

test.each<[string, number[], number, number[] | null]>([
  ["an entry", [...quad(0x10n), ...quad(0x20n), 1, 0, 0x50, ...quad(0n), ...quad(0n)], 0x1f, [0x50]],
  ["none", [...quad(0x10n), ...quad(0x20n), 1, 0, 0x50, ...quad(0n), ...quad(0n)], 0x20, null],
  [
    "another base",
    [...quad(-1n), ...quad(BASE + 0x100n), ...quad(0n), ...quad(8n), 1, 0, 0x51, ...quad(0n), ...quad(0n)],
    0x104,
    [0x51],
  ],
])("loc: %s", (_what, bytes, offset, expression) => {
  const found = findInLoc(new Reader(Uint8Array.from(bytes)), context(offset));
  expect(found === null ? null : [...found]).toEqual(expression);
});

test("a list that is cut short", () => {
  expect(() => findInLoclists(new Reader(Uint8Array.from([4, 0x10, 0x20])), context(0))).toThrow("debug information");
  expect(() => findInLoc(new Reader(Uint8Array.from(quad(0n))), context(0))).toThrow("debug information");
});
