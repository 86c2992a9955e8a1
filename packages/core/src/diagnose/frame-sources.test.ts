import { describe, expect, test } from "vitest";
import type { DebugInfo, SourceFrame } from "../debuginfo/debug-info.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import type { Diagnosis, DiagnosisFrame } from "./diagnosis.ts";
import { addFrameSources, codeAddress, frameSources, locateCulprit, withoutInlined } from "./frame-sources.ts";

const frame = (name: string, address: bigint, more: Partial<Frame> = {}): Frame =>
  ({ function: name, module: null, offset: 8, address, sp: address * 16n, interrupted: false, ...more }) as Frame;

const source = (name: string, line: number, inlined = false): SourceFrame => ({
  function: name,
  inlined,
  location: { file: `${name}.c`, line, column: null },
  declared: { file: `${name}.c`, line: 1, column: null },
});

/** Debug information of some addresses; keeps which were asked for. */
function kernel(
  known: Readonly<Record<number, readonly SourceFrame[]>>,
  symbols: Readonly<Record<string, bigint>> = {},
) {
  const asked: bigint[] = [];
  const debugInfo = {
    framesAt: (address: bigint) => {
      asked.push(address);
      return known[Number(address)] ?? [];
    },
  } as unknown as DebugInfo;
  const byName = (name: string) => (symbols[name] === undefined ? null : { name, address: symbols[name] });
  return { asked, debugInfo, symbols: { byName } as unknown as Kernel["symbols"] };
}

test("a return address stands for the call before it, an exact one for itself", () => {
  expect([codeAddress(frame("f", 16n)), codeAddress(frame("f", 16n, { interrupted: true }))]).toEqual([15n, 16n]);
});

describe("looking frames up", () => {
  const frames = [frame("g", 32n), frame("f", 16n), frame("f", 16n), frame("lost", 48n, { offset: null })];

  test("each address once, and none whose place in its function is not known", () => {
    const from = kernel({ 15: [source("f", 5)] });
    expect(frameSources(from, frames)?.map((found) => found.length)).toEqual([0, 1, 1, 0]);
    expect(from.asked).toEqual([31n, 15n]);
  });

  test("null where there is nothing, so that the document stays as it is", () => {
    expect(frameSources(kernel({}), frames)).toBeNull();
    expect(frameSources({ debugInfo: null }, frames)).toBeNull();
  });
});

/** As much of a document as matters here. */
function document(names: readonly string[], recursion: Partial<Diagnosis["recursion"]> = null): Diagnosis {
  const frames = names.map(
    (name): DiagnosisFrame => ({
      function: name,
      module: null,
      offset: 8,
      address: "0x10",
      sp: "0x100",
      certainty: "inferred",
      inlined: false,
      why: "because",
    }),
  );
  return { frames, recursion } as unknown as Diagnosis;
}

describe("the document with sources", () => {
  const turns = { functions: ["f", "g"], firstFrame: 1, turns: 2, bytesPerTurn: 64 };
  const plain = document(["panic", "f", "g", "f", "g"], turns);
  const inF = [source("deep", 7, true), source("mid", 6, true), source("f", 5)];
  const full = addFrameSources(plain, [[source("p", 1, true), source("panic", 2)], inF, [], inF, [source("g", 9)]]);

  test("has an entry for each inlined function, inside of its frame", () => {
    expect(full.frames.map((one) => `${one.inlined ? "-" : ""}${one.function} ${one.file}:${one.line}`)).toEqual([
      "-p p.c:1",
      "panic panic.c:2",
      "-deep deep.c:7",
      "-mid mid.c:6",
      "f f.c:5",
      "g null:null",
      "-deep deep.c:7",
      "-mid mid.c:6",
      "f f.c:5",
      "g g.c:9",
    ]);
    expect(full.frames[0]).toMatchObject({
      address: "0x10",
      sp: "0x100",
      certainty: "inferred",
      why: "because",
      offset: null,
    });
  });

  test("recursion begins at the same frame", () => {
    expect(full.frames[full.recursion!.firstFrame]).toMatchObject({ function: "f", inlined: false });
    expect(full.recursion?.firstFrame).toBe(4);
  });

  test("without the inlined entries it is as before, but for the lines", () => {
    const again = withoutInlined(full);
    expect(again.frames.map((one) => one.function)).toEqual(plain.frames.map((one) => one.function));
    expect(again.recursion).toEqual(turns);
    expect(withoutInlined(plain)).toBe(plain);
  });

  test("nothing known leaves it as it is", () => expect(addFrameSources(plain, null)).toBe(plain));
});

describe("where the culprit is", () => {
  const inlined = [source("copy", 3, true), source("f", 42)];

  test.each<[string, readonly Frame[], readonly (readonly SourceFrame[])[] | null, object]>([
    ["its frame's line, in its own code", [frame("f", 16n)], [inlined], { file: "f.c", line: 42 }],
    [
      "its definition where the line is the failed check",
      [frame("__stack_chk_fail", 8n), frame("f", 16n)],
      [[], [source("f", 99)]],
      { file: "f.c", line: 1 },
    ],
    [
      "the innermost of its frames",
      [frame("f", 16n), frame("f", 32n)],
      [[source("f", 5)], [source("f", 9)]],
      { file: "f.c", line: 5 },
    ],
    ["its definition where it has no frame", [frame("g", 16n)], [[source("g", 5)]], { file: "f.c", line: 1 }],
  ])("%s", (_what, frames, sources, expected) => {
    const from = kernel({ 64: [source("f", 2)] }, { f: 64n });
    expect(locateCulprit(from, { function: "f", module: null }, frames, sources)).toEqual(expected);
  });

  test("unknown without debug information", () => {
    const { symbols } = kernel({}, { f: 64n });
    expect(
      locateCulprit({ debugInfo: null, symbols }, { function: "f", module: null }, [frame("f", 16n)], null),
    ).toEqual({
      file: null,
      line: null,
    });
  });
});
