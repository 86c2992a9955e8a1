import { describe, expect, test } from "vitest";
import { ByteWriter } from "../debuginfo/testing/byte-writer.ts";
import { readAlternatives } from "./alternatives.ts";
import { SegmentSpace } from "./segment-space.ts";

const TEXT = 0xffffffff81000000n;
const TABLE = TEXT + 0x10000n;
const REPLACEMENT = TEXT + 0x20000n;

const entries = [
  { site: TEXT + 0x40n, length: 6, replacement: REPLACEMENT, replacementLength: 3 },
  { site: TEXT + 0x80n, length: 5, replacement: REPLACEMENT + 3n, replacementLength: 5 },
  { site: TEXT + 0x100n, length: 2, replacement: REPLACEMENT + 0x100n, replacementLength: 0 },
];

type Layout = "4.0" | "4.1" | "6.3";
function table(layout: Layout, list = entries): Uint8Array {
  const out = new ByteWriter();
  for (const { site, length, replacement, replacementLength } of list) {
    const at = TABLE + BigInt(out.length);
    out.u32(Number(BigInt.asIntN(32, site - at))).u32(Number(BigInt.asIntN(32, replacement - at - 4n)));
    out.u16(0x5d);
    if (layout === "6.3") out.u16(1);
    out.u8(length, replacementLength);
    if (layout === "4.1") out.u8(length - replacementLength);
  }
  return out.bytes;
}

function read(bytes: Uint8Array) {
  const memory = new SegmentSpace([
    { start: TEXT, bytes: new Uint8Array(0x1000) },
    { start: TABLE, bytes },
    { start: REPLACEMENT, bytes: new Uint8Array(0x100) },
  ]);
  return readAlternatives(memory, TABLE, TABLE + BigInt(bytes.length));
}

describe("struct alt_instr", () => {
  test.each<[Layout]>([["4.0"], ["4.1"], ["6.3"]])("of %s is told by what it leads to", (layout) => {
    expect(read(table(layout))).toEqual(entries);
  });

  test.each<[string, Uint8Array]>([
    ["a length that no layout has", table("4.0").subarray(0, 35)],
    ["a site outside the code", table("6.3", [{ ...entries[0]!, site: TEXT + 0x5000n }])],
    ["a replacement outside", table("4.0", [{ ...entries[0]!, replacement: TEXT + 0x5000n }])],
    ["a replacement that is too long", table("4.1", [{ ...entries[0]!, replacementLength: 7 }])],
  ])("%s: not known", (_what, bytes) => {
    expect(read(bytes)).toBeNull();
  });

  test("none at all is none", () => {
    expect(read(new Uint8Array(0))).toEqual([]);
  });
});
