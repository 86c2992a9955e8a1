import { describe, expect, test } from "vitest";
import { MemorySource } from "../../bytes/byte-source.ts";
import { openDump } from "../open-dump.ts";
import { lzoCompressor } from "../testing/compressors.ts";
import { expectSameMemory, failureOf } from "../testing/expect-memory.ts";
import { makeElfOf } from "../testing/make-elf.ts";
import { makeKdump } from "../testing/make-kdump.ts";
import { sampleModel } from "../testing/memory-model.ts";

const model = sampleModel();
const part = (startPfn: number, endPfn: number, version = 6) =>
  new MemorySource(
    makeKdump(model, { version, compressor: lzoCompressor, split: { startPfn, endPfn } }),
    `part${startPfn}`,
  );

describe("a split set", () => {
  test.each([2, 3, 4, 5, 6])("of version %i opens in any order", (version) => {
    const image = openDump([part(8, 40, version), part(40, 72, version), part(0, 8, version)]);
    expect(image.problems).toEqual([]);
    expect(image.vmcoreinfo).toBe(version >= 3 ? model.vmcoreinfo : null);
    for (const [pfn, page] of model.pages) expect(image.memory.page(pfn), `page ${pfn}`).toEqual(page);
    expect(image.memory.pageState(5)).toBe("excluded");
  });

  test("of two parts has the model's memory", () => {
    expectSameMemory(openDump([part(40, 72), part(0, 40)]).memory, model);
  });

  test.each([
    ["the first part is missing", [part(8, 40), part(40, 72)], "0-7"],
    ["the middle part is missing", [part(0, 8), part(40, 72)], "8-39"],
    ["the last part is missing", [part(0, 8), part(8, 40)], "40-71"],
    ["one part only", [part(8, 40)], "0-7, 40-71"],
  ])("is refused where %s", (_what, sources, missing) => {
    const error = failureOf(() => openDump(sources));
    expect(error.code).toBe("SPW_IMAGE_SPLIT_INCOMPLETE");
    expect(error.message).toContain(missing);
  });

  test("opens without a part when asked to; its pages are lost", () => {
    const image = openDump([part(0, 8), part(40, 72)], { allowIncompleteSet: true });
    expect(image.problems.map((problem) => problem.code)).toEqual(["SPW_IMAGE_SPLIT_INCOMPLETE"]);
    expect([7, 8, 9, 40].map((pfn) => image.memory.pageState(pfn))).toEqual(["present", "lost", "absent", "present"]);
  });

  const other = new MemorySource(
    makeKdump({ ...model, maxPfn: 500 }, { split: { startPfn: 40, endPfn: 500 } }),
    "other",
  );
  test.each([
    ["the same part twice", [part(0, 40), part(0, 40), part(40, 72)]],
    ["a whole dump among them", [part(0, 40), new MemorySource(makeKdump(model), "whole")]],
    ["a part of another dump", [part(0, 40), other]],
    ["an ELF core among them", [part(0, 40), new MemorySource(makeElfOf(model), "elf")]],
    ["two whole dumps", [new MemorySource(makeKdump(model), "a"), new MemorySource(makeKdump(model), "b")]],
  ])("is refused with %s", (_what, sources) => {
    expect(failureOf(() => openDump(sources)).code).toBe("SPW_IMAGE_SPLIT_MISMATCH");
  });

  test("no file at all is a usage error", () => {
    expect(failureOf(() => openDump([]))).toMatchObject({ code: "SPW_USAGE_NO_DUMP", class: "usage" });
  });
});
