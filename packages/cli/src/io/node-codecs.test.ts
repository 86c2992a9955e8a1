import { deflateSync, zstdCompressSync } from "node:zlib";
import { PAGE_FLAG_ZLIB, PAGE_FLAG_ZSTD, portableCodecs } from "@spillway/core";
import { describe, expect, test } from "vitest";
import { nodeCodecs } from "./node-codecs.ts";

const page = Uint8Array.from({ length: 4096 }, (_, i) => (i * i) >> 7);

describe.each([
  ["zlib", PAGE_FLAG_ZLIB, deflateSync],
  ["zstd", PAGE_FLAG_ZSTD, zstdCompressSync],
] as const)("Node's %s", (_name, flag, compress) => {
  const codec = nodeCodecs.get(flag)!;

  test("gives what the portable codec gives", () => {
    const packed = new Uint8Array(compress(page));
    expect(Array.from(codec.decompress(packed, 4096))).toEqual(Array.from(page));
    expect(Array.from(portableCodecs.get(flag)!.decompress(packed, 4096))).toEqual(Array.from(page));
  });

  test.each([
    ["less than a page", compress(new Uint8Array(4095))],
    ["more than a page", compress(new Uint8Array(4097))],
    ["gigabytes, as far as it says", compress(new Uint8Array(1 << 24))],
    ["nothing", new Uint8Array(0)],
    ["noise", Uint8Array.from({ length: 100 }, (_, i) => i * 37)],
  ])("refuses %s", (_what, packed) => {
    expect(() => codec.decompress(new Uint8Array(packed), 4096)).toThrow();
  });
});

test("the other codecs are the portable ones", () => {
  expect([...nodeCodecs.keys()].sort()).toEqual([...portableCodecs.keys()].sort());
});
