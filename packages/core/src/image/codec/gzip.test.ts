import { gzipSync, strToU8 } from "fflate";
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

  test("passes over whatever the header may have", () => {
    const extra = [3, 0, 1, 2, 3];
    const name = [...strToU8("config_data"), 0];
    const comment = [...strToU8("made by hand"), 0];
    const header = [0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, ...extra, ...name, ...comment, 0xaa, 0xbb];
    expect(gunzip(new Uint8Array([...header, ...packed.subarray(10)]), 5000)).toEqual(text);
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
