import { describe, expect, test } from "vitest";
import { type ByteWriter, bytesOf } from "../testing/byte-writer.ts";
import { dwarfFile, makeDwarf } from "../testing/make-dwarf.ts";
import { readAddressRanges } from "./aranges.ts";
import { DW_AT, DW_FORM, DW_TAG } from "./constants.ts";
import { inRanges, rangesOf } from "./ranges.ts";

const TEXT = 0xffffffff81000000n;
/** The same as a signed number. */
const LOW = -0x7f000000;

function listed(version: 4 | 5, write: (out: ByteWriter) => void, lowPc = TEXT) {
  const { sections } = makeDwarf([
    {
      version,
      root: {
        tag: DW_TAG.compileUnit,
        attributes: [
          [DW_AT.lowPc, DW_FORM.addr, lowPc],
          [DW_AT.ranges, DW_FORM.secOffset, 4],
        ],
      },
    },
  ]);
  const lists = bytesOf((out) => write(out.u32(0)));
  return dwarfFile({
    ...sections,
    [version === 5 ? ".debug_rnglists" : ".debug_ranges"]: lists,
    ".debug_addr": bytesOf((out) =>
      out
        .u32(20)
        .u16(5)
        .u8(8, 0)
        .u64(TEXT + 0x100n)
        .u64(TEXT + 0x140n),
    ),
  }).unit(0)!.root;
}

describe("range lists of DWARF 5", () => {
  test.each<[string, (out: ByteWriter) => void, number[]]>([
    ["offset_pair", (out) => out.u8(4).uleb(0x10).uleb(0x200).u8(0), [0x10, 0x200]],
    ["two, one of them empty", (out) => out.u8(4, 1, 2, 4, 7, 7, 4, 8, 9, 0), [1, 2, 8, 9]],
    [
      "base_address",
      (out) =>
        out
          .u8(5)
          .u64(TEXT + 0x1000n)
          .u8(4, 1, 2, 0),
      [0x1001, 0x1002],
    ],
    ["base_addressx", (out) => out.u8(1, 1, 4, 1, 2, 0), [0x141, 0x142]],
    ["startx_endx", (out) => out.u8(2, 0, 1, 0), [0x100, 0x140]],
    ["startx_length", (out) => out.u8(3, 1, 8, 0), [0x140, 0x148]],
    [
      "start_end",
      (out) =>
        out
          .u8(6)
          .u64(TEXT + 3n)
          .u64(TEXT + 5n)
          .u8(0),
      [3, 5],
    ],
    ["start_length", (out) => out.u8(7).u64(TEXT).uleb(0x80).u8(0), [0, 0x80]],
    ["none", (out) => out.u8(0), []],
  ])("%s", (_what, write, offsets) => {
    expect(rangesOf(listed(5, write))).toEqual(offsets.map((offset) => LOW + offset));
  });

  test.each<[string, (out: ByteWriter) => void]>([
    ["a kind that is not known", (out) => out.u8(9, 0)],
    ["no end", (out) => out.u8(4, 1, 2)],
    ["an address that is not there", (out) => out.u8(2, 7, 8, 0)],
  ])("%s is damage", (_what, write) => {
    expect(() => rangesOf(listed(5, write))).toThrow(expect.objectContaining({ code: "SPW_DEBUGINFO_CORRUPT" }));
  });
});

test("range lists of DWARF 4: pairs from the unit's base, another base, two zeros", () => {
  const root = listed(4, (out) => {
    out.u64(0x10).u64(0x20);
    out.u64(-1n).u64(TEXT + 0x1000n);
    out.u64(0).u64(8).u64(0).u64(0).u64(1).u64(2);
  });
  expect(rangesOf(root)).toEqual([LOW + 0x10, LOW + 0x20, LOW + 0x1000, LOW + 0x1008]);
});

test.each([
  ["a length", DW_FORM.data4, 0x40n],
  ["an address", DW_FORM.addr, TEXT + 0x40n],
])("DW_AT_high_pc as %s", (_what, form, value) => {
  const attributes = [
    [DW_AT.lowPc, DW_FORM.addr, TEXT],
    [DW_AT.highPc, form, value],
  ] as const;
  const { sections } = makeDwarf([{ root: { tag: DW_TAG.subprogram, attributes } }]);
  const ranges = rangesOf(dwarfFile(sections).unit(0)!.root);
  expect(ranges).toEqual([LOW, LOW + 0x40]);
  expect([LOW - 1, LOW, LOW + 0x3f, LOW + 0x40].map((pc) => inRanges(ranges, pc))).toEqual([false, true, true, false]);
});

describe(".debug_aranges", () => {
  const set = (out: ByteWriter, unit: number, ...ranges: readonly (readonly [bigint, number])[]) => {
    const start = out.length;
    out.u32(0).u16(2).u32(unit).u8(8, 0);
    while ((out.length - start) % 16 !== 0) out.u8(0);
    for (const [low, size] of ranges) out.u64(low).u64(size);
    out
      .u64(0)
      .u64(0)
      .patch32(start, out.length - start - 4);
  };
  const read = (write: (out: ByteWriter) => void) => {
    const problems: string[] = [];
    const bytes = bytesOf(write);
    const section = { name: ".debug_aranges", size: bytes.length, bytes: () => bytes, cstring: () => null };
    return { table: readAddressRanges(section, (text) => problems.push(text)), problems };
  };

  test("tells the unit, also where ranges overlap", () => {
    const { table, problems } = read((out) => {
      set(out, 0x100, [TEXT, 0x1000]);
      set(out, 0x200, [TEXT + 0x2000n, 0x10], [TEXT + 0x400n, 0x10]);
      set(out, 0x300);
    });
    const at = (offset: number) => table.unitAt(LOW + offset);
    expect([-1, 0, 0x3ff, 0x400, 0x40f, 0x410, 0xfff, 0x1000, 0x2000, 0x2010].map(at)).toEqual([
      null,
      0x100,
      0x100,
      0x200,
      0x200,
      0x100,
      0x100,
      null,
      0x200,
      null,
    ]);
    expect([...table.units]).toEqual([0x100, 0x200, 0x300]);
    expect(problems).toEqual([]);
  });

  test("keeps what comes before damage", () => {
    const { table, problems } = read((out) => {
      set(out, 0x100, [TEXT, 0x10]);
      out.u32(0x1000).u16(2);
    });
    expect(table.unitAt(LOW)).toBe(0x100);
    expect(problems).toHaveLength(1);
  });

  test("there may be none", () => expect(readAddressRanges(null, () => {}).unitAt(LOW)).toBeNull());
});
