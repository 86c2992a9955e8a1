import { zlibSync } from "fflate";
import { describe, expect, test } from "vitest";
import { MemorySource } from "../../bytes/byte-source.ts";
import { zstdCompressor } from "../../image/testing/compressors.ts";
import { bytesOf } from "../testing/byte-writer.ts";
import { buildIdNote, type MadeSection, makeElfFile, relaEntries, symbolTable } from "../testing/make-elf-file.ts";
import { ElfFile, type ElfFileOptions } from "./elf-file.ts";
import { hexBuildId } from "./notes.ts";

const open = (sections: readonly MadeSection[], type?: number, options?: ElfFileOptions) =>
  new ElfFile(new MemorySource(makeElfFile(sections, type), "vmlinux"), options);

const content = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) % 50);
const chdr = (type: number, size: number, packed: Uint8Array) =>
  bytesOf((out) => out.u32(type).u32(0).u64(size).u64(1).append(packed));

/** The header of older binutils. */
const old = bytesOf((out) => {
  for (const letter of "ZLIB") out.u8(letter.charCodeAt(0));
  out.append([0, 0, 0, 0, 0, 0, 5000 >> 8, 5000 & 0xff]).append(zlibSync(content));
});

describe("sections", () => {
  test.each<[string, MadeSection]>([
    ["plain", { name: ".debug_info", bytes: content }],
    ["zlib", { name: ".debug_info", flags: 0x800, bytes: chdr(1, 5000, zlibSync(content)) }],
    ["zstd", { name: ".debug_info", flags: 0x800, bytes: chdr(2, 5000, zstdCompressor.compress(content)) }],
    [".zdebug_info", { name: ".zdebug_info", bytes: old }],
  ])("%s", (_what, made) => {
    const elf = open([made]);
    const section = elf.section(".debug_info")!;
    expect(section.size).toBe(5000);
    expect(section.bytes(0, 5000)).toEqual(content);
    expect(section.bytes(4990, 10)).toEqual(content.subarray(4990));
    expect([section.bytes(4990, 11), section.bytes(-1, 2), section.bytes(0, -1), section.bytes(Number.NaN, 1)]).toEqual(
      [null, null, null, null],
    );
    expect(elf.hasDebugInfo).toBe(true);
  });

  test.each<[string, Uint8Array]>([
    ["a size that no stream has", chdr(1, 2 ** 40, zlibSync(content))],
    ["another size than it says", chdr(1, 4000, zlibSync(content))],
    ["noise", chdr(1, 5000, content)],
    ["a method that is not known", chdr(9, 5000, content)],
  ])("compressed with %s: nothing, and it is said", (_what, bytes) => {
    const elf = open([{ name: ".debug_info", flags: 0x800, bytes }]);
    expect(elf.section(".debug_info")?.bytes(0, 1)).toBeNull();
    expect(elf.problems).toEqual([expect.stringContaining(".debug_info cannot be unpacked")]);
  });

  test("text ends at its NUL, also far away, and not outside the section", () => {
    const long = "x".repeat(700);
    const strings = open([{ name: ".debug_str", bytes: bytesOf((out) => out.text("a").text(long).u8(0x62)) }]);
    const section = strings.section(".debug_str")!;
    expect([0, 1, 2].map((at) => section.cstring(at))).toEqual(["a", "", long]);
    // The last letter has no NUL behind it.
    expect([702, 703, 704, 999].map((at) => section.cstring(at))).toEqual(["", null, null, null]);
  });

  test("a stripped file has no debug information, nor has one whose sections are elsewhere", () => {
    expect(open([{ name: ".text", bytes: content }]).hasDebugInfo).toBe(false);
    expect(open([{ name: ".debug_info", type: 8, bytes: content }]).hasDebugInfo).toBe(false);
    expect(open([{ name: ".debug_info", type: 8, bytes: content }]).section(".debug_info")).toBeNull();
  });
});

test("the build-id is found among other notes", () => {
  const other = bytesOf((out) => out.u32(6).u32(4).u32(3).text("Linux").align(4).u32(7));
  const notes = Uint8Array.from([...other, ...buildIdNote([0x3b, 0x43, 0xfa])]);
  expect(hexBuildId(open([{ name: ".notes", type: 7, bytes: notes }]).buildId()!)).toBe("3b43fa");
  expect(open([{ name: ".notes", type: 7, bytes: other }]).buildId()).toBeNull();
  expect(open([{ name: ".notes", type: 7, bytes: notes.subarray(0, notes.length - 3) }]).buildId()).toBeNull();
});

describe("relocation of a relocatable file", () => {
  const TEXT = 0xffffffffc0500000n;
  const symbols = symbolTable([
    [0, 3, 1, 0],
    [0, 2, 1, 0x40],
    [0, 3, 3, 0],
    [0, 0x10, 0, 0],
  ]);
  const entries: [number, number, number, number][] = [
    [4, 1, 1, 0x10],
    [12, 1, 2, 1],
    [20, 10, 3, 0x1234],
    [24, 1, 4, 5],
    [32, 99, 1, 1],
  ];
  const file = (order: (list: typeof entries) => typeof entries) =>
    open(
      [
        { name: ".text", flags: 6, bytes: new Uint8Array(64) },
        { name: ".debug_info", bytes: new Uint8Array(40).fill(0xee) },
        { name: ".debug_str", bytes: new Uint8Array(4) },
        { name: ".rela.debug_info", type: 4, link: 5, info: 2, bytes: relaEntries(order([...entries])) },
        { name: ".symtab", type: 2, bytes: symbols },
      ],
      1,
      { placement: (name) => (name === ".text" ? TEXT : null) },
    );
  const expected = bytesOf((out) => {
    out
      .u32(0xeeeeeeee)
      .u64(TEXT + 0x10n)
      .u64(TEXT + 0x41n)
      .u32(0x1234);
    // A symbol that is not defined here counts as 0; a type that no debug section has leaves things alone.
    out.u64(5).u64(0xeeeeeeeeeeeeeeeen);
  });

  test.each<[string, (list: typeof entries) => typeof entries]>([
    ["in order", (list) => list],
    ["backwards", (list) => list.reverse()],
    ["in no order", (list) => [list[2]!, list[0]!, list[4]!, list[1]!, list[3]!]],
  ])("fills in addresses and offsets: entries %s", (_what, order) => {
    const section = file(order).section(".debug_info")!;
    expect(section.bytes(0, 40)).toEqual(expected);
    // Any piece is as the whole, also where it cuts a value in two.
    for (let from = 0; from < 40; from++) {
      for (const length of [1, 3, 9]) {
        if (from + length <= 40) expect(section.bytes(from, length)).toEqual(expected.slice(from, from + length));
      }
    }
  });

  test("is not done again in a linked file that kept its relocations", () => {
    const linked = open(
      [
        { name: ".text", flags: 6 },
        { name: ".debug_info", bytes: new Uint8Array(16).fill(0xee) },
        { name: ".rela.debug_info", type: 4, link: 4, info: 2, bytes: relaEntries([[0, 1, 1, 1]]) },
        { name: ".symtab", type: 2, bytes: symbols },
      ],
      2,
    );
    expect(linked.section(".debug_info")?.bytes(0, 8)).toEqual(new Uint8Array(8).fill(0xee));
  });
});

test.each<[string, Uint8Array, string]>([
  ["text", bytesOf((out) => out.text("#!/bin/sh").append(new Uint8Array(100))), "SPW_DEBUGINFO_UNSUPPORTED"],
  ["an empty file", new Uint8Array(0), "SPW_DEBUGINFO_UNSUPPORTED"],
  ["a cut file", makeElfFile([{ name: ".text", bytes: content }]).subarray(0, 3000), "SPW_DEBUGINFO_CORRUPT"],
  ["a core without sections", makeElfFile([]).fill(0, 40, 48), "SPW_DEBUGINFO_CORRUPT"],
])("%s is refused", (_what, bytes, code) => {
  expect(() => new ElfFile(new MemorySource(bytes, "x"))).toThrow(expect.objectContaining({ code }));
});
