import fc from "fast-check";
import { expect, test } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { writeKdump } from "./kdump-writer.ts";
import { openDump } from "./open-dump.ts";
import type { PhysicalMemory } from "./physical-memory.ts";
import { lzoCompressor, snappyCompressor, zlibCompressor, zstdCompressor } from "./testing/compressors.ts";
import { expectSameMemory, expectSamePage } from "./testing/expect-memory.ts";
import { makeElfOf } from "./testing/make-elf.ts";
import { makeFlattened, recordsOf } from "./testing/make-flattened.ts";
import { makeKdump } from "./testing/make-kdump.ts";
import { filledPage, type MemoryModel, noisePage, runsOf, textPage } from "./testing/memory-model.ts";

/** A page by what it is made from, so that a counterexample prints short. */
const page = fc.tuple(
  fc.constantFrom("filled" as const, "text" as const, "noise" as const),
  fc.integer({ min: 0, max: 255 }),
);
const makers = { filled: filledPage, text: textPage, noise: noisePage };

/** Frames near each other and far apart, across the bitmap's 32,768-frame blocks. */
const pfn = fc.oneof(fc.nat(80), fc.integer({ min: 32_700, max: 32_800 }), fc.integer({ min: 65_500, max: 65_600 }));

const pages = fc.array(fc.tuple(pfn, page), { minLength: 1, maxLength: 12 });
const excludedPages = fc.array(pfn, { maxLength: 8 });

function modelOf(list: readonly [number, readonly [keyof typeof makers, number]][], excluded: number[]): MemoryModel {
  const map = new Map(list.map(([frame, [kind, number]]) => [frame, makers[kind](number)]));
  const left = new Set(excluded.filter((frame) => !map.has(frame)));
  return { pages: map, excluded: left, maxPfn: Math.max(...map.keys(), ...left) + 1, vmcoreinfo: "OSRELEASE=6.1.0\n" };
}

const version = fc.integer({ min: 1, max: 6 });
const compressor = fc.constantFrom(null, zlibCompressor, lzoCompressor, snappyCompressor, zstdCompressor);
const sizes = fc.array(fc.integer({ min: 1000, max: 40_000 }), { minLength: 1, maxLength: 4 });

/** Every format's dump of the model, opened. */
function everyFormat(m: MemoryModel, v: number, c: Parameters<typeof makeKdump>[1], cuts: number[], at: number) {
  const whole = makeKdump(m, { ...c, version: v });
  const elf = makeElfOf(m);
  const shuffled = recordsOf(elf, cuts);
  shuffled.push(shuffled.shift()!);
  const middle = Math.min(at, m.maxPfn);
  const splitVersion = Math.max(2, v);
  const parts = [
    makeKdump(m, { ...c, version: splitVersion, split: { startPfn: middle, endPfn: m.maxPfn } }),
    makeKdump(m, { ...c, version: splitVersion, split: { startPfn: 0, endPfn: middle } }),
  ];
  const memories: { [name: string]: PhysicalMemory; elf?: PhysicalMemory } = {};
  const add = (name: string, files: Uint8Array[]) => {
    const image = openDump(files.map((file) => new MemorySource(file, name)));
    expect(image.problems, name).toEqual([]);
    memories[name] = image.memory;
  };
  add("kdump", [whole]);
  add("elf", [elf]);
  add("flattened kdump", [makeFlattened(recordsOf(whole, cuts))]);
  add("flattened elf, out of order", [makeFlattened(shuffled)]);
  add("split set", parts);
  add(
    "split set, flattened",
    parts.map((part) => makeFlattened(recordsOf(part, cuts))),
  );
  add("rewritten", [rewrite(m, memories.elf!)]);
  return memories;
}

function rewrite(m: MemoryModel, memory: PhysicalMemory): Uint8Array {
  const pieces: [number, Uint8Array][] = [];
  const { size } = writeKdump(
    {
      maxPfn: m.maxPfn,
      ram: runsOf([...m.pages.keys(), ...m.excluded]),
      pages: memory.presentRanges(),
      memory,
      notes: null,
      vmcoreinfo: null,
    },
    (offset, bytes) => pieces.push([offset, bytes.slice()]),
  );
  const file = new Uint8Array(size);
  for (const [offset, bytes] of pieces) file.set(bytes, offset);
  return file;
}

test("whatever memory holds, every format gives the same pages and states", () => {
  fc.assert(
    fc.property(pages, excludedPages, version, compressor, sizes, pfn, (list, excluded, v, c, cuts, at) => {
      const m = modelOf(list, excluded);
      // Comparing 65,000 frames one by one is slow; frames around those of the model say as much.
      for (const [name, memory] of Object.entries(everyFormat(m, v, { compressor: c }, cuts, at))) {
        expect(memory.maxPfn, name).toBe(m.maxPfn);
        expect([...memory.presentRanges()], name).toEqual(expectedRuns(m, at, name));
        for (const frame of new Set([...m.pages.keys(), ...m.excluded].flatMap((f) => [f - 1, f, f + 1]))) {
          const state = m.pages.has(frame) ? "present" : m.excluded.has(frame) ? "excluded" : "absent";
          expect(memory.pageState(frame), `${name}, page ${frame}`).toBe(state);
          expectSamePage(memory.page(frame), m.pages.get(frame) ?? null, `${name}, page ${frame}`);
        }
      }
    }),
    { numRuns: 60, seed: 5 },
  );
});

/** The model's runs; those of a split set end where its files do. */
function expectedRuns(m: MemoryModel, at: number, name: string) {
  const runs = runsOf(m.pages.keys());
  if (!name.startsWith("split")) return runs;
  return runs.flatMap((run) =>
    run.startPfn < at && at < run.endPfn
      ? [
          { startPfn: run.startPfn, endPfn: at },
          { startPfn: at, endPfn: run.endPfn },
        ]
      : [run],
  );
}

test("small models are the same frame by frame", () => {
  const near = fc.array(fc.tuple(fc.nat(80), page), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(near, fc.array(fc.nat(80)), version, compressor, (list, excluded, v, c) => {
      const m = modelOf(list, excluded);
      expectSameMemory(openDump([new MemorySource(makeKdump(m, { version: v, compressor: c }))]).memory, m);
      expectSameMemory(openDump([new MemorySource(makeElfOf(m))]).memory, m);
    }),
    { numRuns: 40, seed: 6 },
  );
});
