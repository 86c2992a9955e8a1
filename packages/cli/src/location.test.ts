import { expect, test } from "vitest";
import { nameOf, parseCount, resolveLocation } from "./location.ts";
import { fakeKernel, TEXT } from "./testing/fake-kernel.ts";

const { symbols } = fakeKernel();

test.each([
  ["vfs_read", TEXT + 0x100n, "vfs_read"],
  ["vfs_read+16", TEXT + 0x110n, null],
  ["vfs_read+0x10", TEXT + 0x110n, null],
  ["vfs_read-1", TEXT + 0xffn, null],
  ["nest.isra.0+8", TEXT + 0x308n, null],
  ["ffffffff81000100", TEXT + 0x100n, null],
  ["0xffffffff81000100", TEXT + 0x100n, null],
  ["ffffffff81000100+0x10", TEXT + 0x110n, null],
])("%s", (text, address, symbol) => {
  const location = resolveLocation(text, symbols);
  expect(location.address).toBe(address);
  expect(location.symbol?.name ?? null).toBe(symbol);
});

test.each(["nobody", "vfs_read+", "vfs_read*2", "", "0x", "12345678901234567"])('"%s" is nowhere', (text) => {
  expect(() => resolveLocation(text, symbols)).toThrow(expect.objectContaining({ code: "SPW_SYMBOL_UNKNOWN" }));
});

test.each([
  ["1", 1],
  ["0x10", 16],
  ["100", 100],
])("a count of %s", (text, count) => {
  expect(parseCount(text, 100)).toBe(count);
});

test.each(["0", "-1", "101", "1.5", "x", "", "1e2"])("no count: %s", (text) => {
  expect(() => parseCount(text, 100)).toThrow(expect.objectContaining({ code: "SPW_USAGE" }));
});

test.each([
  [TEXT + 0x100n, "vfs_read"],
  [TEXT + 0x10cn, "vfs_read+12"],
  [0xffffffffc0000044n, "parse_packet+4 [vandal]"],
  [0x1000n, null],
])("%d is named %s", (address, name) => {
  expect(nameOf(address, symbols, true)).toBe(name);
});
