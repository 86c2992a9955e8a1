import { describe, expect, it } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { type ProgramHeader, PT_LOAD } from "./elf/elf-header.ts";
import { ElfMemory } from "./elf/elf-memory.ts";
import { pfnRanges, writeKdump } from "./kdump-writer.ts";
import { openDump } from "./open-dump.ts";
import type { PfnRange, PhysicalMemory } from "./physical-memory.ts";

function segment(physical: number, fileSize: number, memorySize = fileSize): ProgramHeader {
  return { type: PT_LOAD, flags: 0, fileOffset: 0, virtual: 0n, physical, fileSize, memorySize } as ProgramHeader;
}

describe("RAM of an ELF core", () => {
  it.each<[string, readonly ProgramHeader[], readonly PfnRange[]]>([
    ["two segments", [segment(0x1000, 0x2000), segment(0x8000, 0x1000)], [r(1, 3), r(8, 9)]],
    ["neighbours are one range", [segment(0x1000, 0x1000), segment(0x2000, 0x1000)], [r(1, 3)]],
    ["bytes left out of the file count", [segment(0, 0x1000, 0x4000)], [r(0, 4)]],
    ["a segment that ends inside a page", [segment(0x1000, 0x1800)], [r(1, 3)]],
    ["bytes past the end of the file count", [segment(0x1000, 0x100000)], [r(1, 0x101)]],
  ])("%s", (_, segments, expected) => {
    const memory = new ElfMemory(new MemorySource(new Uint8Array(0x4000)), segments);
    expect([...memory.ramRanges()]).toEqual(expected);
  });
});

describe("RAM of a kdump file", () => {
  it.each<[string, readonly PfnRange[], readonly number[]]>([
    ["all of it dumped", [r(1, 4)], [1, 2, 3]],
    ["most of it left out", [r(0, 5), r(64, 200)], [70]],
    ["up to the last frame", [r(255, 256)], []],
  ])("%s", (_, ram, dumped) => {
    const file = new Uint8Array(1 << 16);
    const page = new Uint8Array(4096);
    const memory: PhysicalMemory = {
      maxPfn: 256,
      page: () => page,
      pageState: () => "present",
      presentRanges: () => [],
    };
    const contents = { maxPfn: 256, ram, pages: pfnRanges(dumped), memory, vmcoreinfo: null, notes: null };
    const { size } = writeKdump(contents, (offset, bytes) => file.set(bytes, offset));
    const opened = openDump([new MemorySource(file.subarray(0, size))]);
    expect([...opened.memory.ramRanges!()]).toEqual(ram);
  });
});

function r(startPfn: number, endPfn: number): PfnRange {
  return { startPfn, endPfn };
}
