import { describe, expect, test } from "vitest";
import { Reader } from "./reader.ts";

const reader = (...bytes: number[]) => new Reader(Uint8Array.from(bytes));

describe("LEB128 (DWARF 5, 7.6)", () => {
  test.each([
    [[2], 2],
    [[127], 127],
    [[0x80, 1], 128],
    [[0xe5, 0x8e, 0x26], 624485],
    [[0x80, 0x80, 0], 0],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], 2 ** 53 - 1],
  ])("unsigned %j", (bytes, value) => expect(reader(...bytes).uleb()).toBe(value));

  test.each([
    [[2], 2],
    [[0x7e], -2],
    [[0xff, 0], 127],
    [[0x81, 0x7f], -127],
    [[0x80, 0x7f], -128],
    [[0x80, 1], 128],
  ])("signed %j", (bytes, value) => expect(reader(...bytes).sleb()).toBe(value));

  test.each([
    [false, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 2n ** 64n - 1n],
    [true, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f], -(2n ** 63n)],
    [true, [0x7f], -1n],
    [false, [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0], 1n],
  ])("all bits, signed %s, %j", (signed, bytes, value) => expect(reader(...bytes).bigLeb(signed)).toBe(value));
});

test("addresses are signed doubles, exact where kernels lie", () => {
  expect(reader(0, 0, 0, 0x81, 0xff, 0xff, 0xff, 0xff).address(8)).toBe(-0x7f000000);
  expect(reader(0, 0, 0, 0x81).address(4)).toBe(0x81000000);
});

test.each([
  ["u8", (one: Reader) => one.u8(), 0],
  ["u16", (one: Reader) => one.u16(), 1],
  ["u64", (one: Reader) => one.u64(), 7],
  ["uleb", (one: Reader) => one.uleb(), 0],
  ["skip", (one: Reader) => one.skip(9), 8],
  ["skip backwards", (one: Reader) => one.skip(-1), 0],
  ["block", (one: Reader) => one.block(2 ** 60), 8],
  ["cstring", (one: Reader) => one.cstring(), 8],
  ["address of three bytes", (one: Reader) => one.address(3), 8],
] as const)("%s past the end is damage", (_what, read, length) => {
  const bytes = new Reader(new Uint8Array(length).fill(0xff));
  expect(() => read(bytes)).toThrow(expect.objectContaining({ code: "SPW_DEBUGINFO_CORRUPT" }));
});
