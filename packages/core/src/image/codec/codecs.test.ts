import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compressLzo1x,
  lzoCompressor,
  snappyCompressor,
  zlibCompressor,
  zstdCompressor,
} from "../testing/compressors.ts";
import { filledPage, noisePage, textPage } from "../testing/memory-model.ts";
import { portableCodecs } from "./codecs.ts";
import { lzoCodec } from "./lzo1x.ts";
import { PAGE_FLAG_LZO, PAGE_FLAG_SNAPPY, PAGE_FLAG_ZLIB, PAGE_FLAG_ZSTD } from "./page-codec.ts";
import { snappyCodec } from "./snappy.ts";
import { adler32, zlibCodec } from "./zlib.ts";
import { zstdCodec } from "./zstd.ts";

const hex = (text: string) => Uint8Array.from(text.split(" "), (byte) => Number.parseInt(byte, 16));
const libzstd = { flag: PAGE_FLAG_ZSTD, compress: (page: Uint8Array) => new Uint8Array(zstdCompressSync(page)) };

describe.each([
  ["zlib", PAGE_FLAG_ZLIB, zlibCompressor],
  ["lzo", PAGE_FLAG_LZO, lzoCompressor],
  ["snappy", PAGE_FLAG_SNAPPY, snappyCompressor],
  ["zstd, stored and repeated blocks", PAGE_FLAG_ZSTD, zstdCompressor],
  ["zstd, as libzstd compresses", PAGE_FLAG_ZSTD, libzstd],
] as const)("%s", (_name, flag, compressor) => {
  const codec = portableCodecs.get(flag)!;

  test.each([
    ["zeros", filledPage(0)],
    ["one byte repeated", filledPage(0x5a)],
    ["text", textPage(7)],
    ["noise", noisePage(9)],
    ["noise, then zeros", Uint8Array.from(noisePage(11), (byte, i) => (i < 300 ? byte : 0))],
    ["a period of 3000", Uint8Array.from(noisePage(12), (_, i) => noisePage(12)[i % 3000]!)],
  ])("gives back a page of %s", (_what, page) => {
    expect(codec.decompress(compressor.compress(page), 4096)).toEqual(page);
  });

  test("gives back pages of random structure", () => {
    const page = fc
      .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(60)), { minLength: 1, maxLength: 60 })
      .map((pieces) => {
        const out = new Uint8Array(4096);
        let at = 0;
        for (let i = 0; at < out.length; i = (i + 1) % pieces.length) {
          const [bytes, times] = pieces[i]!;
          for (let k = 0; k <= times && at < out.length; k++) {
            out.set(bytes.subarray(0, out.length - at), at);
            at += bytes.length;
          }
        }
        return out;
      });
    fc.assert(
      fc.property(page, (bytes) => {
        expect(codec.decompress(compressor.compress(bytes), 4096)).toEqual(bytes);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test("throws on a page cut short, or on one of another length", () => {
    const packed = compressor.compress(textPage(3));
    for (const cut of [0, 1, 2, 5, packed.length >> 1, packed.length - 1]) {
      expect(() => codec.decompress(packed.subarray(0, cut), 4096), `cut to ${cut}`).toThrow();
    }
    expect(() => codec.decompress(compressor.compress(new Uint8Array(4095)), 4096)).toThrow();
    expect(() => codec.decompress(compressor.compress(new Uint8Array(5000)), 4096)).toThrow();
  });

  test("puts out a page or throws, whatever bits are flipped", () => {
    const packed = compressor.compress(textPage(5));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(packed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (flips) => {
          const bytes = packed.slice();
          for (const [at, value] of flips) bytes[at] = value;
          let out: Uint8Array;
          try {
            out = codec.decompress(bytes, 4096);
          } catch {
            return;
          }
          expect(out.length).toBe(4096);
        },
      ),
      { numRuns: 300, seed: 2 },
    );
  });
});

describe("zlib", () => {
  test("knows Adler-32 by its example", () => {
    expect(adler32(new TextEncoder().encode("Wikipedia"))).toBe(0x11e60398);
    // The largest sums there can be before the modulus; value from zlib.
    expect(adler32(new Uint8Array(10000).fill(0xff))).toBe(0xb623eb2b);
  });

  test("refuses a page whose checksum is wrong", () => {
    const packed = zlibCompressor.compress(textPage(1));
    packed[packed.length - 1] = packed[packed.length - 1]! ^ 1;
    expect(() => zlibCodec.decompress(packed, 4096)).toThrow("checksum");
  });
});

describe("lzo", () => {
  // Streams written by hand, one for each form of instruction.
  test.each([
    ["literals by the first byte, then the end", "15 61 62 63 64 11 00 00", "abcd"],
    ["a long run of literals", "01 61 62 63 64 11 00 00", "abcd"],
    ["a match of 3 with 1 byte distance, overlapping itself", "12 61 40 00 11 00 00", "aaaa"],
    ["a match of 4", "13 61 62 64 00 11 00 00", "ababab"],
    ["a match of 8, two literals after it", "12 61 e2 00 62 63 11 00 00", "aaaaaaaaabc"],
    ["a 2-byte match after literals", "13 61 62 04 00 11 00 00", "abab"],
    ["a match by the long form", "12 61 24 00 00 11 00 00", "aaaaaaa"],
    ["a match whose length takes a byte more", "12 61 20 01 00 00 11 00 00", "a".repeat(35)],
    ["a match whose length takes two bytes more", "12 61 20 00 01 00 00 11 00 00", "a".repeat(290)],
  ])("decodes %s", (_form, stream, expected) => {
    const out = lzoCodec.decompress(hex(stream), expected.length);
    expect(String.fromCharCode(...out)).toBe(expected);
  });

  test("decodes the 3-byte match 2 to 3 KiB back, only after a long run", () => {
    const run = noisePage(5).slice(0, 2100);
    const packed = [0, 0, 0, 0, 0, 0, 0, 0, 0, 2100 - 18 - 255 * 8, ...run, 0x00, 0x00, 0x11, 0, 0];
    const out = lzoCodec.decompress(Uint8Array.from(packed), 2103);
    expect(out.subarray(2100)).toEqual(run.subarray(2100 - 2049, 2100 - 2046));
  });

  test.each([
    ["nothing", ""],
    ["no end", "15 61 62 63 64"],
    ["an end too early", "14 61 62 63 11 00 00"],
    ["a match before the first byte", "12 61 44 00 11 00 00"],
    ["output past the page", "12 61 e0 00 11 00 00"],
    ["literals past the input", "15 61"],
    ["a length that never ends", "12 61 20 00 00 00"],
    ["bytes after the end", "15 61 62 63 64 11 00 00 00"],
  ])("refuses %s", (_what, stream) => {
    expect(() => lzoCodec.decompress(stream === "" ? new Uint8Array(0) : hex(stream), 4)).toThrow();
  });

  test("has a test compressor that uses matches", () => {
    expect(compressLzo1x(textPage(1)).length).toBeLessThan(200);
  });
});

describe("snappy", () => {
  test.each([
    ["a length that walks backwards in snappyjs", "80 20 fc fb ff ff ff 61 61 61 61"],
    ["more literals than input", "80 20 f4 ff 0f 61"],
    ["another page length", "04 0c 61 62 63 64"],
    ["a copy from before the start", "80 20 fe 01 00 61"],
    ["a length field of six bytes", "80 80 80 80 80 01 00"],
  ])("refuses %s", (_what, stream) => {
    expect(() => snappyCodec.decompress(hex(stream), 4096)).toThrow();
  });
});

describe("zstd", () => {
  test.each([
    ["a window of gigabytes", "28 b5 2f fd 00 f8 01 00 00 61 00"],
    ["a content size that is no page", "28 b5 2f fd a0 00 00 00 40 03 00 00"],
    ["more sequences than a page has bytes", "28 b5 2f fd 60 00 0f 55 00 00 00 ff ff ff 00 00 00 00 00 00"],
    ["a dictionary", "28 b5 2f fd 61 01 00 0f 01 00 00 61"],
    ["a skippable frame", "50 2a 4d 18 04 00 00 00 01 02 03 04"],
  ])("refuses %s", (_what, stream) => {
    expect(() => zstdCodec.decompress(hex(stream), 4096)).toThrow();
  });
});
