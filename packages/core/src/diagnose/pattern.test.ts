import { describe, expect, it } from "vitest";
import { findPattern } from "./pattern.ts";

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === "string" ? [...part].map((letter) => letter.charCodeAt(0)) : part)),
  );
const NOISE = [0x91, 0x03, 0xfe, 0x77, 0x1a, 0xc4, 0x00, 0x5d];
const count = (from: number, length: number) => Array.from({ length }, (_, index) => (from + index) & 0xff);
const words = (from: number, step: number, length: number) =>
  Array.from({ length }, (_, index) => [(from + index * step) & 0xff, (from + index * step) >> 8, 0, 0]).flat();

describe("findPattern", () => {
  it.each([
    [
      "a repeated byte",
      bytes(NOISE, "A".repeat(19), NOISE),
      8,
      { start: 8, end: 27, text: "the byte 0x41 ('A') repeated" },
    ],
    [
      "zeros",
      bytes(NOISE, count(0, 1), new Array(15).fill(0), NOISE),
      8,
      { start: 8, end: 24, text: "the byte 0x00 repeated" },
    ],
    [
      "text",
      bytes(NOISE, [1], "GET /index HTTP", [0], NOISE),
      16,
      { start: 9, end: 24, text: 'text "GET /index HTTP"' },
    ],
    ["counting bytes", bytes(NOISE, count(0x80, 20), NOISE), 16, { start: 8, end: 28 }],
    [
      "a repeated word",
      bytes(NOISE, ...new Array(4).fill([0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4]), NOISE),
      16,
      { start: 8, end: 40 },
    ],
    ["counting 32-bit values", bytes(NOISE, words(0x1000, 1, 8), NOISE), 16, { start: 8, end: 40 }],
  ])("%s", (_name, data, origin, expected) => {
    expect(findPattern(data, origin)).toMatchObject(expected);
  });

  it("sees none in noise", () => {
    expect(findPattern(bytes(NOISE, [9, 1, 200, 33, 7, 129, 80, 2], NOISE), 8)).toBeNull();
  });
});
