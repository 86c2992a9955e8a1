import { describe, expect, test } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { type KdumpContents, pfnRanges, writeKdump } from "./kdump-writer.ts";
import { openDump } from "./open-dump.ts";
import { expectSameMemory } from "./testing/expect-memory.ts";
import { makeElfOf } from "./testing/make-elf.ts";
import { concat, makeNote, makePrstatus } from "./testing/make-notes.ts";
import { ascii, runsOf, sampleModel } from "./testing/memory-model.ts";

const model = sampleModel();
const { memory } = openDump([new MemorySource(makeElfOf(model))]);

function written(contents: Partial<KdumpContents>): { bytes: Uint8Array; size: number; pages: number } {
  const bytes = new Uint8Array(200_000);
  let end = 0;
  const result = writeKdump(
    {
      maxPfn: model.maxPfn,
      ram: runsOf([...model.pages.keys(), ...model.excluded]),
      pages: memory.presentRanges(),
      memory,
      notes: null,
      vmcoreinfo: null,
      ...contents,
    },
    (offset, piece) => {
      bytes.set(piece, offset);
      end = Math.max(end, offset + piece.length);
    },
  );
  expect(end).toBe(result.size);
  return { bytes: bytes.subarray(0, result.size), ...result };
}
const open = (bytes: Uint8Array) => openDump([new MemorySource(bytes)]);

describe("a written kdump-compressed file", () => {
  test("reads back as the same memory", () => {
    const { bytes, pages } = written({ release: "6.1.0-test", nodename: "n", timestamp: 99, dumpLevel: 31 });
    expect(pages).toBe(model.pages.size);
    const image = open(bytes);
    expect(image.problems).toEqual([]);
    expect(image.header).toEqual({
      version: 6,
      release: "6.1.0-test",
      machine: "x86_64",
      nodename: "n",
      timestamp: 99,
      dumpLevel: 31,
    });
    expectSameMemory(image.memory, model);
  });

  test("carries notes, and points to the VMCOREINFO in them", () => {
    const info = ascii("OSRELEASE=6.1\nNUMBER(phys_base)=-551550976\n");
    const notes = concat([makePrstatus(3, 5n), makeNote("VMCOREINFO", 0, info)]);
    const { bytes } = written({ notes, vmcoreinfo: ascii("not used") });
    const image = open(bytes);
    expect(image.rawNotes).toEqual(notes);
    expect(image.vmcoreinfo).toBe("OSRELEASE=6.1\nNUMBER(phys_base)=-551550976\n");
    const view = new DataView(bytes.buffer);
    expect(view.getBigInt64(4096, true)).toBe(-551550976n);
    const at = Number(view.getBigUint64(4096 + 32, true));
    expect(bytes.subarray(at, at + info.length)).toEqual(info);
  });

  test("carries VMCOREINFO without notes, and takes the release from it", () => {
    const image = open(written({ vmcoreinfo: ascii("A=1\nOSRELEASE=6.12.9\n") }).bytes);
    expect(image.vmcoreinfo).toBe("A=1\nOSRELEASE=6.12.9\n");
    expect(image.header!.release).toBe("6.12.9");
  });

  test("leaves no name empty that libkdumpfile wants filled", () => {
    const { bytes } = written({});
    const field = (i: number) =>
      String.fromCharCode(...bytes.subarray(12 + i * 65, 12 + i * 65 + 65)).replace(/\0.*/, "");
    expect([0, 1, 2, 3, 4].map(field)).toEqual(["Linux", "", "(unknown)", "(unknown)", "x86_64"]);
  });

  test("holds the chosen pages only; the others of RAM are excluded", () => {
    const { bytes, pages } = written({ pages: pfnRanges([40, 8, 7, 40, 41]) });
    expect(pages).toBe(3);
    const small = open(bytes).memory;
    expect([...small.presentRanges()]).toEqual(runsOf([7, 8, 40]));
    expect([1, 7, 41, 50].map((pfn) => small.pageState(pfn))).toEqual(["excluded", "present", "excluded", "absent"]);
  });

  test("stores zero pages once and incompressible ones as they are", () => {
    const many = { ...model, pages: new Map(Array.from({ length: 64 }, (_, i) => [i, new Uint8Array(4096)] as const)) };
    const zeros = openDump([new MemorySource(makeElfOf(many))]).memory;
    const { size } = written({ memory: zeros, pages: [{ startPfn: 0, endPfn: 64 }] });
    expect(size).toBeLessThan(4096 * 4 + 64 * 24 + 100);
    const { bytes } = written({ pages: [{ startPfn: 3, endPfn: 4 }] });
    expect(new DataView(bytes.buffer).getUint32(4096 * 4 + 12, true)).toBe(0);
  });

  test("can hold no page at all", () => {
    const { bytes, pages } = written({ pages: [] });
    expect(pages).toBe(0);
    expect(bytes.length).toBe(4096 * 4);
  });
});

test("frames become ascending runs", () => {
  expect(pfnRanges([5, 3, 4, 9, 3])).toEqual([
    { startPfn: 3, endPfn: 6 },
    { startPfn: 9, endPfn: 10 },
  ]);
  expect(pfnRanges([])).toEqual([]);
});
