import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemorySource } from "../../bytes/byte-source.ts";
import { openDump } from "../open-dump.ts";
import { zlibCompressor } from "../testing/compressors.ts";
import { expectSameMemory, failureOf } from "../testing/expect-memory.ts";
import { makeElfOf } from "../testing/make-elf.ts";
import { makeFlattened, recordsOf } from "../testing/make-flattened.ts";
import { makeKdump } from "../testing/make-kdump.ts";
import { ascii, sampleModel } from "../testing/memory-model.ts";
import { FlattenedSource } from "./flattened-source.ts";

const model = sampleModel();
const source = (bytes: Uint8Array) => new MemorySource(bytes, "flat");
const text = (bytes: Uint8Array) => String.fromCharCode(...bytes).replaceAll("\0", ".");

describe("a flattened file", () => {
  test.each([
    ["kdump", makeKdump(model, { compressor: zlibCompressor })],
    ["elf", makeElfOf(model)],
  ])("wraps a dump of format %s", (format, bytes) => {
    const image = openDump([source(makeFlattened(recordsOf(bytes, [464, 1000, 4096, 7])))]);
    expect(image).toMatchObject({ format, flattened: true, problems: [] });
    expectSameMemory(image.memory, model);
  });

  test.each([
    [
      "records in order",
      [
        [0, "abcd"],
        [4, "efgh"],
      ],
      "abcdefgh",
    ],
    [
      "records in any order",
      [
        [4, "efgh"],
        [0, "abcd"],
      ],
      "abcdefgh",
    ],
    [
      "a hole",
      [
        [0, "ab"],
        [6, "gh"],
      ],
      "ab....gh",
    ],
    [
      "a later record over an earlier one",
      [
        [0, "abcdefgh"],
        [2, "XY"],
      ],
      "abXYefgh",
    ],
    [
      "an earlier record under a later, longer one",
      [
        [2, "XY"],
        [0, "abcdefgh"],
      ],
      "abcdefgh",
    ],
    [
      "overlap at both ends",
      [
        [0, "aaaa"],
        [4, "bbbb"],
        [2, "cccc"],
      ],
      "aaccccbb",
    ],
    [
      "a header written again at the end",
      [
        [0, "head"],
        [4, "body"],
        [0, "HEAD"],
      ],
      "HEADbody",
    ],
  ] as const)("reads %s", (_what, records, expected) => {
    const flat = makeFlattened(records.map(([offset, bytes]) => ({ offset, bytes: ascii(bytes) })));
    const inner = new FlattenedSource(source(flat));
    expect(inner.size).toBe(expected.length);
    expect(text(inner.read(0, 100))).toBe(expected);
    for (let at = 0; at < expected.length; at++) expect(text(inner.read(at, 3))).toBe(expected.slice(at, at + 3));
    expect(inner.read(expected.length, 5).length).toBe(0);
  });

  test("knows its holes", () => {
    const inner = new FlattenedSource(
      source(
        makeFlattened([
          { offset: 0, bytes: ascii("ab") },
          { offset: 6, bytes: ascii("gh") },
        ]),
      ),
    );
    expect([inner.hasHole(0, 2), inner.hasHole(1, 2), inner.hasHole(6, 2), inner.hasHole(7, 2)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  test("reads what its records say, one written over the other", () => {
    const record = fc.record({ offset: fc.nat(300), bytes: fc.uint8Array({ minLength: 1, maxLength: 80 }) });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
        const size = Math.max(...records.map((r) => r.offset + r.bytes.length));
        const plain = new Uint8Array(size);
        const written = new Uint8Array(size);
        for (const { offset, bytes } of records) {
          plain.set(bytes, offset);
          written.fill(1, offset, offset + bytes.length);
        }
        const inner = new FlattenedSource(source(makeFlattened(records)));
        expect(inner.size).toBe(size);
        expect(inner.read(0, size)).toEqual(plain);
        for (const at of [0, 17, 100, 250]) {
          expect(inner.read(at, 50)).toEqual(plain.slice(at, at + 50));
          if (at + 10 <= size) expect(inner.hasHole(at, 10)).toBe(written.subarray(at, at + 10).includes(0));
        }
      }),
      { numRuns: 200, seed: 4 },
    );
  });
});

describe("a damaged flattened file", () => {
  const dump = makeKdump(model);
  const whole = makeFlattened(recordsOf(dump, [4096]));

  test("cut short keeps what came before; the rest is lost", () => {
    const image = openDump([source(whole.subarray(0, whole.length - 16 - 4000))]);
    expect(image.flattened).toBe(true);
    expect(image.memory.pageState(1)).toBe("present");
    expect(image.memory.pageState(70)).toBe("lost");
    expect(image.problems.map((problem) => problem.code)).toContain("SPW_IMAGE_TRUNCATED");
  });

  test("without its end mark only, loses nothing", () => {
    const image = openDump([source(whole.subarray(0, whole.length - 16))]);
    expect(image.problems.map((problem) => problem.code)).toEqual(["SPW_IMAGE_TRUNCATED"]);
    expectSameMemory(image.memory, model);
  });

  test("with a record lost in the middle, the pages in the hole are lost and not zeros", () => {
    const records = recordsOf(dump, [512]);
    // One record inside page 40, the last but one in the file.
    const at = Math.ceil((dump.length - 2 * 4096) / 512) * 512;
    const kept = records.filter((r) => r.offset !== at);
    const image = openDump([source(makeFlattened(kept))]);
    expect([3, 8, 40, 70].map((pfn) => image.memory.pageState(pfn))).toEqual(["present", "present", "lost", "present"]);
    expect(image.memory.page(40)).toBeNull();
  });

  test("with a damaged record header keeps what came before", () => {
    const bytes = whole.slice();
    new DataView(bytes.buffer).setBigInt64(4096 + 5 * (16 + 4096) + 8, -7n);
    const image = openDump([source(bytes)]);
    expect(image.problems.map((problem) => problem.code)).toContain("SPW_IMAGE_CORRUPT");
    expect(image.memory.pageState(70)).toBe("lost");
  });

  test.each([
    ["cut inside its header", whole.subarray(0, 1000), "SPW_IMAGE_TRUNCATED"],
    ["without a record", makeFlattened([]), "SPW_IMAGE_EMPTY"],
    ["of another type", makeFlattened([]).fill(7, 16, 32), "SPW_IMAGE_CORRUPT"],
    ["inside another one", makeFlattened(recordsOf(whole, [4096])), "SPW_IMAGE_CORRUPT"],
    ["around something else", makeFlattened([{ offset: 0, bytes: ascii("hello, world") }]), "SPW_IMAGE_UNKNOWN_FORMAT"],
  ])("%s is refused", (_what, bytes, code) => {
    expect(failureOf(() => openDump([source(bytes)])).code).toBe(code);
  });
});
