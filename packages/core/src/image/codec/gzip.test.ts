import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { gunzip } from "./gzip.ts";

const text = Uint8Array.from({ length: 5000 }, (_, index) => (index * index) >> 6);
const packed = gzipSync(text);

describe("gzip", () => {
  test("gives what was packed, at any length", () => {
    for (const length of [0, 1, 17, 5000]) {
      expect(gunzip(gzipSync(text.subarray(0, length)), 5000)).toEqual(text.slice(0, length));
    }
  });

  test("passes over a file name and a comment in the header", () => {
    const named = gzipSync(text, { filename: "config_data", comment: "made by hand" });
    expect(named.length).toBeGreaterThan(packed.length);
    expect(gunzip(named, 5000)).toEqual(text);
  });

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ["nothing", () => new Uint8Array(0)],
    ["a header alone", (bytes) => bytes.subarray(0, 10)],
    ["another magic", (bytes) => bytes.fill(0x50, 0, 1)],
    ["another method", (bytes) => bytes.fill(7, 2, 3)],
    ["a file name without an end", (bytes) => bytes.fill(8, 3, 4).subarray(0, 20).fill(65, 10)],
    ["a changed byte", (bytes) => bytes.fill(bytes[60]! ^ 4, 60, 61)],
    ["a wrong checksum", (bytes) => bytes.fill(bytes.at(-8)! ^ 1, bytes.length - 8, bytes.length - 7)],
    ["a length that claims too little", (bytes) => bytes.fill(0, bytes.length - 4)],
    ["half of it", (bytes) => bytes.subarray(0, bytes.length >> 1)],
  ])("takes %s for damaged", (_what, damage) => {
    expect(gunzip(damage(packed.slice()), 5000)).toBeNull();
  });

  test("unpacks no more than it may", () => {
    expect(gunzip(packed, 4999)).toBeNull();
  });
});
