import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { ByteWriter } from "../debuginfo/testing/byte-writer.ts";
import { compressLzo1x } from "../image/testing/compressors.ts";
import { unpackBootImage } from "./boot-image.ts";
import { openProgram } from "./open-program.ts";
import { makeBootImage, makeKernelImage, relocationTable, withLength } from "./testing/make-kernel-image.ts";
import { portableUnpackers } from "./unpack.ts";

const TEXT = 0xffffffff81000000n;
const content = Uint8Array.from({ length: 600 }, (_, i) => (i * 7) % 50);
const kernel = makeKernelImage({ segments: [{ address: TEXT, bytes: content }] });

/** An LZ4 block of literals, and a match that repeats its last four bytes where the content ends in such. */
function lz4(bytes: Uint8Array): Uint8Array {
  const out = new ByteWriter().u8(0xf0);
  let rest = bytes.length - 15;
  for (; rest >= 255; rest -= 255) out.u8(255);
  out.u8(rest).append(bytes);
  const block = out.bytes;
  return new ByteWriter().u32(0x184c2102).u32(block.length).append(block).bytes;
}

function lzop(bytes: Uint8Array): Uint8Array {
  const packed = compressLzo1x(bytes);
  const out = new ByteWriter().u8(0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a);
  // Version 1.03, library 2.08, version needed 0.94, method 1, level 9; flags: an Adler-32 of the content before each block.
  out.u8(0x10, 0x30, 0x20, 0x80, 0x09, 0x40, 1, 9, 0, 0, 0, 1, 0, 0, 0, 0).append(new Uint8Array(8)).u8(0, 0, 0, 0, 0);
  const be = (n: number) => out.u8(n >>> 24, n >>> 16, n >>> 8, n);
  be(bytes.length);
  be(packed.length);
  be(0);
  out.append(packed);
  be(0);
  return out.bytes;
}

function zstd(bytes: Uint8Array): Uint8Array {
  // One raw block, content size in two bytes.
  const header = 1 | (bytes.length << 3);
  const out = new ByteWriter()
    .u32(0xfd2fb528)
    .u8(0x60)
    .u16(bytes.length - 256);
  return out.u8(header, header >> 8, header >> 16).append(bytes).bytes;
}

const unpack = (payload: Uint8Array, more = {}, unpackers = portableUnpackers) =>
  unpackBootImage(new MemorySource(makeBootImage({ payload, ...more }), "vmlinuz"), unpackers);

describe("the kernel in a boot image", () => {
  test.each<[string, Uint8Array]>([
    ["gzip", gzipSync(kernel)],
    ["lz4", withLength(lz4(kernel), kernel.length)],
    ["lzo", withLength(lzop(kernel), kernel.length)],
    ["zstd", withLength(zstd(kernel), kernel.length)],
    ["nothing", kernel],
  ])("packed with %s", (_packing, payload) => {
    expect(unpack(payload)).toEqual(kernel);
  });

  test("behind four sectors where the header says 0", () => {
    expect(unpack(gzipSync(kernel), { sectors: 0 })).toEqual(kernel);
  });

  test("is searched for where the protocol is too old to tell its place", () => {
    const image = makeBootImage({ payload: lz4(kernel), version: 0x207 });
    // Nothing may follow an LZ4 frame but another one.
    const source = new MemorySource(image.subarray(0, image.length - 64), "vmlinuz");
    expect(unpackBootImage(source, portableUnpackers)).toEqual(kernel);
  });

  test.each<[string, () => unknown, string]>([
    [
      "an unpacker that is not there",
      () => unpack(withLength(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0, 0, 0, 0, 0), 9)),
      "SPW_PROGRAM_UNPACKER_MISSING",
    ],
    ["noise", () => unpack(Uint8Array.from({ length: 64 }, (_, i) => i + 1)), "SPW_PROGRAM_DAMAGED"],
    ["a packed text", () => unpack(gzipSync(content)), "SPW_PROGRAM_DAMAGED"],
    [
      "less than the header says",
      () =>
        unpackBootImage(
          new MemorySource(makeBootImage({ payload: gzipSync(kernel) }).subarray(0, 1600)),
          portableUnpackers,
        ),
      "SPW_PROGRAM_DAMAGED",
    ],
    ["more than its own length says", () => unpack(withLength(zstd(kernel), 100)), "SPW_PROGRAM_DAMAGED"],
  ])("%s", (_what, act, code) => {
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});

test.each<[string, Uint8Array]>([
  ["text", new TextEncoder().encode("hello")],
  ["noise", Uint8Array.from({ length: 5000 }, (_, i) => (i * 137 + 11) & 0xff)],
  ["zeros", new Uint8Array(5000)],
])("%s is no kernel", (_what, bytes) => {
  expect(() => openProgram([new MemorySource(bytes, "file")])).toThrow(
    expect.objectContaining({ code: "SPW_PROGRAM_UNKNOWN_FORMAT", message: expect.stringMatching(/, no kernel$/) }),
  );
});

describe("its relocations", () => {
  const PER_CPU = 0xffffffff81800000n;
  const segments = [
    {
      address: TEXT,
      bytes: new ByteWriter()
        .u64(TEXT + 0x20n)
        .u32(0x81000010)
        .u32(0x1000)
        .u64(5)
        .u64(TEXT)
        .u64(0).bytes,
    },
    { address: 0n, bytes: new ByteWriter().u64(0).u64(TEXT + 8n).bytes, physical: 0x1800000n },
  ];
  const relocations = (table: Uint8Array) => {
    const packed = gzipSync(new ByteWriter().append(makeKernelImage({ segments })).append(table).bytes);
    const found = openProgram([new MemorySource(makeBootImage({ payload: packed }), "vmlinuz")]).relocations;
    return found === null ? null : [...found.place].map((place, i) => [place, found.target[i]]);
  };
  const at = (address: bigint) => Number(BigInt.asIntN(64, address));

  test("64 bits, subtracted ones, 32 bits; per-CPU data is told by where it is loaded", () => {
    expect(relocations(relocationTable([PER_CPU + 8n, TEXT], [TEXT + 12n], [TEXT + 8n]))).toEqual([
      [at(TEXT), at(TEXT + 0x20n)],
      [at(TEXT + 8n), at(TEXT + 0x10n)],
      [8, at(TEXT + 8n)],
    ]);
  });

  test("without the subtracted ones, from 6.15 on; what holds no address is left out", () => {
    expect(relocations(relocationTable([TEXT, TEXT + 16n], [TEXT + 8n, TEXT + 12n]))).toEqual([
      [at(TEXT), at(TEXT + 0x20n)],
      [at(TEXT + 8n), at(TEXT + 0x10n)],
    ]);
  });

  test.each<[string, Uint8Array]>([
    ["none", new Uint8Array(0)],
    ["one list", relocationTable([TEXT])],
    ["four", relocationTable([TEXT], [], [], [])],
    ["a place outside the kernel", relocationTable([TEXT], [TEXT + 0x100000n])],
    ["a place before any list", new Uint8Array(new ByteWriter().u32(0x81000000).append(relocationTable([], [])).bytes)],
  ])("%s: not known", (_what, table) => {
    expect(relocations(table)).toBeNull();
  });

  test.each<[string, Uint8Array, boolean]>([
    ["none", new Uint8Array(0), false],
    ["a sound table", relocationTable([TEXT], [], []), false],
    ["a place outside the kernel", relocationTable([TEXT], [TEXT + 0x100000n]), true],
    ["less than a list", new Uint8Array(4), true],
  ])("%s: whether it is said that they cannot be read", (_what, table, expected) => {
    const packed = gzipSync(new ByteWriter().append(makeKernelImage({ segments })).append(table).bytes);
    const program = openProgram([new MemorySource(makeBootImage({ payload: packed }), "vmlinuz")]);
    program.relocations;
    expect(program.problems.some((problem) => problem.includes("relocations cannot be read"))).toBe(expected);
  });

  test("a kernel without ORC: it is said", () => {
    const packed = gzipSync(makeKernelImage({ segments }));
    const program = openProgram([new MemorySource(makeBootImage({ payload: packed }), "vmlinuz")]);
    expect(program.orc).toBe(null);
    expect(program.problems).toContain("the kernel has no ORC unwind tables: frames are told by its code alone");
  });
});
