import { describe, expect, test } from "vitest";
import { MemorySource } from "../../bytes/byte-source.ts";
import { openDump } from "../open-dump.ts";
import { lzoCompressor, snappyCompressor, zlibCompressor, zstdCompressor } from "../testing/compressors.ts";
import { expectSameMemory, failureOf } from "../testing/expect-memory.ts";
import { makeKdump } from "../testing/make-kdump.ts";
import { concat, makeNote, makePrstatus } from "../testing/make-notes.ts";
import { ascii, filledPage, noisePage, sampleModel } from "../testing/memory-model.ts";

const open = (bytes: Uint8Array) => openDump([new MemorySource(bytes, "vmcore")]);
const model = sampleModel();

describe.each([1, 2, 3, 4, 5, 6])("kdump-compressed version %i", (version) => {
  test.each([
    ["raw", null],
    ["zlib", zlibCompressor],
    ["lzo", lzoCompressor],
    ["snappy", snappyCompressor],
    ["zstd", zstdCompressor],
  ])("with %s pages has the model's memory", (_codec, compressor) => {
    const image = open(makeKdump(model, { version, compressor }));
    expect(image).toMatchObject({ format: "kdump", flattened: false, problems: [] });
    expect(image.header).toEqual({
      version,
      release: "6.1.0-test",
      machine: "x86_64",
      nodename: "testnode",
      timestamp: 1_700_000_000,
      dumpLevel: 31,
    });
    expect(image.vmcoreinfo).toBe(version >= 3 ? model.vmcoreinfo : null);
    expectSameMemory(image.memory, model);
  });
});

describe("headers", () => {
  test("notes give CPUs, and VMCOREINFO where no field points to it", () => {
    const notes = concat([makePrstatus(9, 1n), makeNote("VMCOREINFO", 0, ascii("A=b\n"))]);
    const image = open(makeKdump({ ...model, vmcoreinfo: null }, { notes }));
    expect(image.rawNotes).toEqual(notes);
    expect(image.cpuNotes.map((cpu) => cpu.pid)).toEqual([9]);
    expect(image.vmcoreinfo).toBe("A=b\n");
  });

  test("a version from the future is read as 6, and said", () => {
    const image = open(makeKdump(model, { version: 7 }));
    expect(image.problems.map((problem) => problem.code)).toEqual(["SPW_IMAGE_UNKNOWN_VERSION"]);
    expectSameMemory(image.memory, model);
  });

  test("QEMU leaves all names empty", () => {
    const bytes = makeKdump(model);
    bytes.fill(0, 12, 402);
    expect(open(bytes).header).toMatchObject({ release: "", machine: "", nodename: "" });
  });

  test("without a first bitmap nothing is known of what is not dumped", () => {
    const { memory } = open(makeKdump(model, { oneBitmap: true }));
    expectSameMemory(memory, { ...model, excluded: new Set() });
  });
});

describe("lost pages", () => {
  test("of a dump whose writer ran out of space", () => {
    const image = open(makeKdump(model, { status: 8, lost: new Set([40, 70]) }));
    expect([8, 40, 70].map((pfn) => image.memory.pageState(pfn))).toEqual(["present", "lost", "lost"]);
    expect(image.memory.page(40)).toBeNull();
    expect([...image.memory.presentRanges()].at(-1)).toEqual({ startPfn: 7, endPfn: 9 });
    expect(image.problems.map((problem) => problem.code)).toEqual(["SPW_IMAGE_INCOMPLETE"]);
  });

  test("of a file cut inside its last page", () => {
    const whole = makeKdump(model, { compressor: zlibCompressor });
    const image = open(whole.subarray(0, whole.length - 1));
    expect([40, 70].map((pfn) => image.memory.pageState(pfn))).toEqual(["present", "lost"]);
    expect(image.problems.map((problem) => problem.code)).toEqual(["SPW_IMAGE_TRUNCATED"]);
  });

  test("of a file cut inside its descriptors", () => {
    const whole = makeKdump(model);
    const descriptors = 4096 * 4;
    const image = open(whole.subarray(0, descriptors + 5 * 24 + 3));
    expect(image.memory.pageState(1)).toBe("lost");
    expect(image.memory.pageState(70)).toBe("lost");
    expect(image.memory.pageState(4)).toBe("excluded");
    expect([...image.memory.presentRanges()]).toEqual([]);
    expect(image.vmcoreinfo).toBe(model.vmcoreinfo);
    expect(image.problems.map((problem) => problem.code)).toEqual(["SPW_IMAGE_TRUNCATED"]);
  });

  test("that do not decompress are known to be lost once read", () => {
    const whole = makeKdump({ ...model, pages: new Map([[1, filledPage(1)]]) }, { compressor: zlibCompressor });
    whole[whole.length - 1] = whole[whole.length - 1]! ^ 0xff;
    const { memory } = open(whole);
    expect(memory.page(1)).toBeNull();
    expect(memory.pageState(1)).toBe("lost");
    expect(memory.page(1)).toBeNull();
    expect([...memory.presentRanges()]).toEqual([]);
  });

  const descriptor = 4096 * 4;
  test.each([
    ["size 0", (v: DataView) => v.setUint32(descriptor + 8, 0, true)],
    ["size beyond a page", (v: DataView) => v.setUint32(descriptor + 8, 4097, true)],
    ["a raw page that is too short", (v: DataView) => v.setUint32(descriptor + 8, 4095, true)],
    ["an offset past the end", (v: DataView) => v.setBigUint64(descriptor, 1n << 40n, true)],
    ["an offset of 2^64 - 1", (v: DataView) => v.setBigUint64(descriptor, 0xffff_ffff_ffff_ffffn, true)],
    ["two codecs at once", (v: DataView) => v.setUint32(descriptor + 12, 3, true)],
  ])("with %s in their descriptor", (_what, damage) => {
    const bytes = makeKdump({ ...model, pages: new Map([[1, noisePage(1)]]) });
    damage(new DataView(bytes.buffer));
    const { memory } = open(bytes);
    expect(memory.page(1)).toBeNull();
    expect(memory.pageState(1)).toBe("lost");
  });
});

describe("refused", () => {
  const changed = (change: (view: DataView) => void) => {
    const bytes = makeKdump(model);
    change(new DataView(bytes.buffer));
    return bytes;
  };
  test.each([
    ["cut inside the header", makeKdump(model).subarray(0, 300), "SPW_IMAGE_TRUNCATED"],
    ["cut before the sub-header", makeKdump(model).subarray(0, 4096), "SPW_IMAGE_TRUNCATED"],
    ["cut inside the bitmaps", makeKdump(model).subarray(0, 4096 * 3), "SPW_IMAGE_TRUNCATED"],
    ["pages of 64 KiB", makeKdump(model, { blockSize: 65536 }), "SPW_IMAGE_UNSUPPORTED"],
    ["arm64", makeKdump(model, { machine: "aarch64" }), "SPW_IMAGE_WRONG_ARCH"],
    ["block size 0", changed((v) => v.setInt32(428, 0, true)), "SPW_IMAGE_CORRUPT"],
    ["block size 4097", changed((v) => v.setInt32(428, 4097, true)), "SPW_IMAGE_CORRUPT"],
    ["sub-header of -1 blocks", changed((v) => v.setInt32(432, -1, true)), "SPW_IMAGE_CORRUPT"],
    ["bitmaps too small", changed((v) => v.setBigUint64(4096 + 96, 1n << 50n, true)), "SPW_IMAGE_CORRUPT"],
    ["bitmaps of 2^32 blocks", changed((v) => v.setUint32(436, 0xffff_ffff, true)), "SPW_IMAGE_TRUNCATED"],
    ["version -5", changed((v) => v.setInt32(8, -5, true)), "SPW_IMAGE_CORRUPT"],
    ["big-endian", changed((v) => v.setInt32(428, 4096, false)), "SPW_IMAGE_WRONG_ARCH"],
  ])("%s", (_what, bytes, code) => {
    const error = failureOf(() => open(bytes));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining("vmcore")]);
  });

  test("the 32-bit layout: two bytes of padding, a short timeval", () => {
    const bytes = new Uint8Array(8192);
    bytes.set(ascii("KDUMP   "));
    bytes.set(ascii("i686"), 12 + 4 * 65);
    new DataView(bytes.buffer).setInt32(416, 4096, true);
    expect(failureOf(() => open(bytes)).code).toBe("SPW_IMAGE_WRONG_ARCH");
    bytes.fill(0, 12, 402);
    expect(failureOf(() => open(bytes)).message).toContain("32-bit");
  });
});
