import { describe, expect, test } from "vitest";
import { MemorySource } from "../../bytes/byte-source.ts";
import { openDump } from "../open-dump.ts";
import { expectSameMemory, failureOf } from "../testing/expect-memory.ts";
import { makeElf, makeElfOf } from "../testing/make-elf.ts";
import { makePrstatus } from "../testing/make-notes.ts";
import { filledPage, noisePage, sampleModel } from "../testing/memory-model.ts";

const open = (bytes: Uint8Array) => openDump([new MemorySource(bytes, "vmcore")]);
const pages = (count: number) => new Uint8Array(count * 4096).map((_, i) => (i >> 12) + 1);

describe("an ELF core", () => {
  test.each([
    ["plain", {}],
    ["as QEMU 7.2 writes it: e_ehsize 8, section headers first", { likeQemu: true }],
    ["with its segments counted in a section header", { extendedCount: true }],
  ])("%s, has the model's memory", (_what, options) => {
    const model = sampleModel();
    const image = open(makeElfOf(model, options));
    expect(image).toMatchObject({ format: "elf", flattened: false, header: null, problems: [], virtualRanges: [] });
    expect(image.vmcoreinfo).toBe(model.vmcoreinfo);
    expectSameMemory(image.memory, model);
  });

  test("has 70,000 segments", () => {
    const segments = Array.from({ length: 70_000 }, (_, i) => ({ physical: i * 8192, bytes: Uint8Array.of(i & 0xff) }));
    const { memory } = open(makeElf(segments, { extendedCount: true }));
    expect(memory.maxPfn).toBe(139_999);
    expect(memory.page(2 * 69_999)![0]).toBe(69_999 & 0xff);
    expect(memory.pageState(2 * 69_999 - 1)).toBe("absent");
  });

  test("keeps its notes for others to write", () => {
    const notes = makePrstatus(7, 0x10n);
    const image = open(makeElf([{ physical: 0, bytes: pages(1) }], { notes }));
    expect(image.rawNotes).toEqual(notes);
    expect(image.cpuNotes[0]!.pid).toBe(7);
  });

  test("maps virtual ranges where its writer gave them", () => {
    const image = open(
      makeElf([
        { physical: 0x1000, bytes: pages(2), virtual: 0xffff_8880_0000_1000n },
        { physical: 0x5000, bytes: pages(1) },
      ]),
    );
    expect(image.virtualRanges).toEqual([{ virtual: 0xffff_8880_0000_1000n, physical: 0x1000n, length: 0x2000n }]);
  });
});

describe("segments that start or end inside a page", () => {
  // /proc/vmcore of a machine whose firmware split a page between RAM and something else.
  const image = open(
    makeElf([
      { physical: 0x1800, bytes: new Uint8Array(0x1000).fill(1) },
      { physical: 0x2a00, bytes: new Uint8Array(0x100).fill(2) },
      { physical: 0x2c00, bytes: new Uint8Array(0x400).fill(3) },
    ]),
  );

  test("read as zero where they do not reach", () => {
    const first = image.memory.page(1)!;
    expect([first[0x7ff], first[0x800], first[0xfff]]).toEqual([0, 1, 1]);
    const second = image.memory.page(2)!;
    expect([0x000, 0x7ff, 0x800, 0xa00, 0xaff, 0xb00, 0xc00, 0xfff].map((at) => second[at])).toEqual([
      1, 1, 0, 2, 2, 0, 3, 3,
    ]);
  });

  test("are present, and one run", () => {
    expect([...image.memory.presentRanges()]).toEqual([{ startPfn: 1, endPfn: 3 }]);
    expect([0, 1, 2, 3].map((pfn) => image.memory.pageState(pfn))).toEqual(["absent", "present", "present", "absent"]);
  });
});

describe("segments over the same memory", () => {
  test("are the same memory: /proc/vmcore lists kernel text twice", () => {
    const text = noisePage(1);
    const image = open(
      makeElf([
        { physical: 0x2000, bytes: text, virtual: 0xffff_ffff_8100_0000n },
        {
          physical: 0x1000,
          bytes: new Uint8Array([...filledPage(9), ...text, ...filledPage(8)]),
          virtual: 0xffff_8880_0000_1000n,
        },
      ]),
    );
    expect(image.memory.page(2)).toEqual(text);
    expect(image.memory.page(3)).toEqual(filledPage(8));
    expect([...image.memory.presentRanges()]).toEqual([{ startPfn: 1, endPfn: 4 }]);
    expect(image.virtualRanges).toHaveLength(2);
  });

  test("a physical address of -1 (/proc/kcore: none) is not memory at 2^64", () => {
    const bytes = makeElf([
      { physical: 0x1000, bytes: pages(1) },
      { physical: 0x2000, bytes: pages(1), virtual: 0xffff_c900_0000_0000n },
    ]);
    new DataView(bytes.buffer).setBigUint64(64 + 2 * 56 + 24, 0xffff_ffff_ffff_ffffn, true);
    const image = open(bytes);
    expect(image.memory.maxPfn).toBe(2);
    expect(image.virtualRanges).toEqual([]);
  });
});

describe("what is not in the file", () => {
  test("memory beyond p_filesz was excluded", () => {
    const { memory } = open(makeElf([{ physical: 0x1000, bytes: pages(1), memorySize: 0x3000 }]));
    expect([1, 2, 3, 4].map((pfn) => memory.pageState(pfn))).toEqual(["present", "excluded", "excluded", "absent"]);
  });

  test("memory beyond the end of the file is lost, and the image says so", () => {
    const whole = makeElf([
      { physical: 0x1000, bytes: pages(3) },
      { physical: 0x9000, bytes: pages(1) },
    ]);
    const image = open(whole.subarray(0, whole.length - 4096 - 100));
    expect([0, 1, 2, 3, 4, 9].map((pfn) => image.memory.pageState(pfn))).toEqual([
      "absent",
      "present",
      "present",
      "lost",
      "absent",
      "lost",
    ]);
    expect(image.memory.page(3)).toBeNull();
    expect([...image.memory.presentRanges()]).toEqual([{ startPfn: 1, endPfn: 3 }]);
    expect(image.problems).toEqual([
      { code: "SPW_IMAGE_TRUNCATED", message: expect.stringContaining("4196 bytes of memory") },
    ]);
  });

  test("notes past the end of the file are a problem, not an error", () => {
    const bytes = makeElf([{ physical: 0, bytes: pages(1) }], { notes: makePrstatus(1, 1n) });
    new DataView(bytes.buffer).setBigUint64(64 + 8, BigInt(bytes.length - 8), true);
    const image = open(bytes);
    expect(image.memory.pageState(0)).toBe("present");
    expect(image.cpuNotes).toEqual([]);
    expect(image.problems.map((problem) => problem.code)).toContain("SPW_IMAGE_TRUNCATED");
  });
});

describe("damaged headers", () => {
  const sound = makeElf([{ physical: 0x1000, bytes: pages(1) }]);
  const changed = (change: (view: DataView) => void) => {
    const bytes = sound.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };

  test.each([
    ["cut inside the ELF header", sound.subarray(0, 40), "SPW_IMAGE_TRUNCATED"],
    ["cut inside the program headers", sound.subarray(0, 100), "SPW_IMAGE_TRUNCATED"],
    ["cut before the first byte of memory", sound.subarray(0, 176), "SPW_IMAGE_TRUNCATED"],
    ["program headers past the end", changed((v) => v.setBigUint64(32, 1n << 40n, true)), "SPW_IMAGE_TRUNCATED"],
    ["program headers of another size", changed((v) => v.setUint16(54, 32, true)), "SPW_IMAGE_CORRUPT"],
    ["no program headers", changed((v) => v.setUint16(56, 0, true)), "SPW_IMAGE_CORRUPT"],
    ["a count in a section that is not there", changed((v) => v.setUint16(56, 0xffff, true)), "SPW_IMAGE_CORRUPT"],
    ["no memory", makeElf([]), "SPW_IMAGE_CORRUPT"],
  ])("%s", (_what, bytes, code) => {
    expect(failureOf(() => open(bytes)).code).toBe(code);
  });

  test("a segment of 2^63 bytes at 2^63 allocates nothing", () => {
    const image = open(
      changed((view) => {
        view.setBigUint64(64 + 56 + 32, 1n << 63n, true);
        view.setBigUint64(64 + 56 + 40, 1n << 63n, true);
      }),
    );
    expect(image.memory.pageState(1)).toBe("present");
    expect(image.memory.pageState(2)).toBe("lost");
  });
});
