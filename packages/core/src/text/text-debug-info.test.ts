import { describe, expect, it } from "vitest";
import { type ByteSource, MemorySource } from "../bytes/byte-source.ts";
import type { DebugFileFinder } from "../debuginfo/debug-file-finder.ts";
import { ByteWriter, bytesOf } from "../debuginfo/testing/byte-writer.ts";
import { type MadeSection, makeElfFile } from "../debuginfo/testing/make-elf-file.ts";
import { SAMPLE_TEXT, sampleDwarf } from "../debuginfo/testing/sample-dwarf.ts";
import { type NamedPlace, TextDebugInfo } from "./text-debug-info.ts";

/** Elf64_Sym: name's offset, type, section, value, size. */
function symbols(entries: readonly (readonly [number, number, bigint, number])[]): Uint8Array {
  const out = new ByteWriter().u32(0).u8(0, 0).u16(0).u64(0).u64(0);
  for (const [name, section, value, size] of entries) out.u32(name).u8(2, 0).u16(section).u64(value).u64(size);
  return out.bytes;
}

/** `vfs_write` of 0xf5 bytes; `twice`, of one size, at two places; `cold`, whose name is the end of `very_cold`. */
function vmlinux(name = "vmlinux"): ByteSource {
  const debug: MadeSection[] = Object.entries(sampleDwarf()).map(([section, bytes]) => ({ name: section, bytes }));
  const file = makeElfFile([
    { name: ".text", type: 8, flags: 6, address: SAMPLE_TEXT },
    {
      name: ".symtab",
      type: 2,
      link: 3,
      bytes: symbols([
        [1, 1, SAMPLE_TEXT, 0xf5],
        [11, 1, SAMPLE_TEXT + 0x40n, 0x10],
        [11, 1, SAMPLE_TEXT + 0x80n, 0x10],
        [22, 1, SAMPLE_TEXT + 0x20n, 0x20],
      ]),
    },
    { name: ".strtab", type: 3, bytes: bytesOf((out) => out.u8(0).text("vfs_write").text("twice").text("very_cold")) },
    ...debug,
  ]);
  return new MemorySource(file, name);
}

const place = (given: Partial<NamedPlace> & { function: string }): NamedPlace => ({
  module: null,
  offset: 0x21,
  size: 0x100,
  afterCall: true,
  ...given,
});
const finder = (named: ByteSource[], found: ByteSource[] = []): DebugFileFinder => ({ named, candidates: () => found });
const lines = (info: TextDebugInfo, asked: NamedPlace): string[] =>
  info
    .resolve(asked)
    .map(
      (frame) => `${frame.function}${frame.inlined ? " inlined" : ""} ${frame.location?.file}:${frame.location?.line}`,
    );

describe("source lines of what a text names", () => {
  const write = place({ function: "vfs_write" });

  it.each([
    [write, ["vfs_write fs/read_write.c:532"], "a return address: the call lies before it"],
    [
      place({ function: "vfs_write", offset: 0x20, afterCall: false }),
      ["vfs_write fs/read_write.c:532"],
      "an interrupted place",
    ],
    [
      place({ function: "vfs_write", offset: 0x45, afterCall: false }),
      ["access_ok inlined fs/read_write.c:569", "vfs_write fs/read_write.c:572"],
      "an inlined function",
    ],
    [
      place({ function: "cold", offset: 1, size: 0x20 }),
      ["vfs_write fs/read_write.c:532"],
      "a name that is another's end",
    ],
    [place({ function: "twice", size: 0x10 }), [], "two functions of one name and size"],
    [place({ function: "vfs_write", size: 0x180 }), [], "another size: not this function"],
    [place({ function: "nowhere" }), [], "no such function"],
    [place({ function: "vfs_write", module: "vandal" }), [], "a module without a file"],
  ])("%o: %o (%s)", (asked, expected, _what) => {
    expect(lines(new TextDebugInfo(finder([vmlinux()]), "6.1.0", [write]), asked)).toEqual(expected);
  });

  it("takes a file that it finds by itself only if the functions' sizes fit", () => {
    const other = place({ function: "vfs_write", size: 0x180 });
    expect(lines(new TextDebugInfo(finder([], [vmlinux()]), "6.1.0", [write]), write)).toHaveLength(1);
    expect(lines(new TextDebugInfo(finder([], [vmlinux()]), "6.1.0", [other]), other)).toEqual([]);
    // Nothing tells that it is this kernel's.
    expect(lines(new TextDebugInfo(finder([], [vmlinux()]), "6.1.0", []), write)).toEqual([]);
  });

  it("refuses a file of another build that the user named", () => {
    const other = place({ function: "vfs_write", size: 0x180 });
    const info = new TextDebugInfo(finder([vmlinux("vmlinux-other")]), "6.1.0", [other]);
    expect(() => info.resolve(other)).toThrow(
      expect.objectContaining({
        code: "SPW_DEBUGINFO_MISMATCH",
        message: "vmlinux-other is of another build: vfs_write takes 245 bytes there, and 384 in the log",
      }),
    );
  });

  it("refuses a stripped file that the user named", () => {
    const stripped = new MemorySource(
      makeElfFile([{ name: ".text", type: 8, flags: 6, address: SAMPLE_TEXT }]),
      "vmlinux",
    );
    expect(() => new TextDebugInfo(finder([stripped]), "6.1.0", [write]).resolve(write)).toThrow(
      expect.objectContaining({ code: "SPW_DEBUGINFO_EMPTY" }),
    );
  });
});
