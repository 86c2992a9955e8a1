import type { DebugInfo, DisassembledInstruction, SourceFrame } from "@spillway/core";
import { describe, expect, test } from "vitest";
import { formatListing } from "./format/source-listing.ts";
import { sourceListing, withHeadings } from "./source-of-code.ts";
import { fakeKernel } from "./testing/fake-kernel.ts";

const frame = (name: string, file: string, line: number, inlined = false): SourceFrame => ({
  function: name,
  inlined,
  location: { file, line, column: 1 },
  declared: { file, line: 10, column: 1 },
});

/** Ten bytes of `f`: lines 10, 12, then `g` inlined (called in line 13), then nothing known. */
const known = new Map<bigint, readonly SourceFrame[]>([
  [1n, [frame("f", "fs/f.c", 10)]],
  [2n, [frame("f", "fs/f.c", 10)]],
  [3n, [frame("f", "fs/f.c", 12)]],
  [4n, [frame("g", "include/g.h", 5, true), frame("f", "fs/f.c", 13)]],
]);
const debugInfo = { framesAt: (address: bigint) => known.get(address) ?? [], problems: [] } as unknown as DebugInfo;
const kernel = fakeKernel({ overrides: { debugInfo } });
const code = [1n, 2n, 3n, 4n, 5n].map((address) => ({ address, text: "nop" })) as unknown as DisassembledInstruction[];

test("headings stand where the line changes, and say what was inlined", () => {
  expect(withHeadings(kernel, code, (one) => `  ${one.address}\n`)).toBe(
    "fs/f.c:10\n  1\n  2\nfs/f.c:12\n  3\ninclude/g.h:5 (g, inlined)\n  4\n  5\n",
  );
});

describe("the listing of a function's source", () => {
  test("goes from its definition to the last line that has code", () => {
    expect(sourceListing(kernel, 4n, code, null, null)).toMatchObject({
      at: { file: "fs/f.c", line: 13 },
      first: 10,
      last: 13,
      withCode: new Set([10, 12, 13]),
      text: null,
    });
  });

  test("or over as many lines as were asked for", () => {
    expect(sourceListing(kernel, 3n, code, 3, null)).toMatchObject({ first: 12, last: 14 });
  });

  test("needs debug information", () => {
    const missing = expect.objectContaining({ code: "SPW_SOURCE_UNKNOWN" });
    expect(() => sourceListing(kernel, 5n, code, null, null)).toThrow(missing);
    expect(() => sourceListing(fakeKernel({}), 1n, code, null, null)).toThrow(missing);
  });

  test("in crash's layout", () => {
    const text = Array.from({ length: 12 }, (_, index) => `\tline ${index + 1}\u001b`);
    const at = { file: "fs/f.c", line: 12, column: 1 };
    expect(formatListing({ at, first: 10, last: 99, withCode: new Set([10, 12]), text })).toBe(
      [
        "FILE: fs/f.c",
        "LINE: 12",
        "",
        "*    10          line 10.",
        "     11          line 11.",
        ">    12          line 12.",
        "",
      ].join("\n"),
    );
    expect(formatListing({ at, first: 10, last: 99, withCode: new Set(), text: null })).toBe(
      "FILE: fs/f.c\nLINE: 12\n",
    );
  });
});
