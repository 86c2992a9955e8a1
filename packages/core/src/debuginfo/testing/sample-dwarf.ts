import { DW_AT, DW_FORM, DW_TAG } from "../dwarf/constants.ts";
import { type ByteWriter, bytesOf } from "./byte-writer.ts";
import { type MadeAttribute, type MadeDie, type MadeSections, makeDwarf } from "./make-dwarf.ts";

/** Where `vfs_write` of the sample begins. */
export const SAMPLE_TEXT = 0xffffffff81000000n;

/**
 * A unit as compilers make them: `vfs_write` (at 0 to 0x100) with `access_ok` inlined at 0x40 to 0x60 (called in line 572) and
 * `valid` inlined into that at 0x50 to 0x58, within a block; `cold` (0x100 to 0x120) without inlined functions. Line n of
 * fs/read_write.c is at address n - 500. The unit has DW_AT_ranges, .debug_aranges says 0 to 0x100.
 */
export function sampleDwarf(text = SAMPLE_TEXT): MadeSections {
  const name = (value: string): MadeAttribute => [DW_AT.name, DW_FORM.string, value];
  const origin = (label: string): MadeAttribute => [DW_AT.abstractOrigin, DW_FORM.ref4, label];
  const code = (from: number, to: number): MadeAttribute[] => [
    [DW_AT.lowPc, DW_FORM.addr, text + BigInt(from)],
    [DW_AT.highPc, DW_FORM.udata, to - from],
  ];
  const declared = (file: number, line: number): MadeAttribute[] => [
    [DW_AT.declFile, DW_FORM.data1, file],
    [DW_AT.declLine, DW_FORM.data2, line],
  ];
  const called = (file: number, line: number): MadeAttribute[] => [
    [DW_AT.callFile, DW_FORM.data1, file],
    [DW_AT.callLine, DW_FORM.data2, line],
    [DW_AT.callColumn, DW_FORM.data1, 6],
  ];
  const valid: MadeDie = {
    tag: DW_TAG.inlinedSubroutine,
    attributes: [origin("valid"), ...code(0x50, 0x58), ...called(2, 33)],
  };
  const accessOk: MadeDie = {
    tag: DW_TAG.inlinedSubroutine,
    attributes: [origin("access_ok"), ...code(0x40, 0x60), ...called(1, 572)],
    children: [{ tag: DW_TAG.lexicalBlock, attributes: code(0x50, 0x58), children: [valid] }],
  };
  const abstract = (label: string, line: number): MadeDie => ({
    tag: DW_TAG.subprogram,
    label,
    attributes: [name(label), ...declared(2, line), [DW_AT.inline, DW_FORM.data1, 3]],
  });
  const { sections } = makeDwarf([
    {
      root: {
        tag: DW_TAG.compileUnit,
        attributes: [
          name("fs/read_write.c"),
          [DW_AT.language, DW_FORM.data1, 0x1d],
          [DW_AT.compDir, DW_FORM.string, "/build"],
          [DW_AT.lowPc, DW_FORM.addr, 0],
          [DW_AT.ranges, DW_FORM.secOffset, 12],
          [DW_AT.stmtList, DW_FORM.secOffset, 0],
        ],
        children: [
          abstract("access_ok", 25),
          abstract("valid", 90),
          {
            tag: DW_TAG.subprogram,
            attributes: [name("vfs_write"), ...declared(1, 564), ...code(0, 0x100)],
            children: [{ tag: DW_TAG.lexicalBlock, attributes: code(0x10, 0xf0), children: [accessOk] }],
          },
          { tag: DW_TAG.subprogram, attributes: [name("cold"), ...declared(1, 700), ...code(0x100, 0x120)] },
        ],
      },
    },
  ]);
  return {
    ...sections,
    ".debug_rnglists": bytesOf((out) => out.u32(0).u16(5).u8(8, 0).u32(0).u8(7).u64(text).uleb(0x120).u8(0)),
    ".debug_aranges": bytesOf((out) => out.u32(44).u16(2).u32(0).u8(8, 0).u32(0).u64(text).u64(0x100).u64(0).u64(0)),
    ".debug_line": bytesOf((out) => lines(out, text)),
  };
}

/** One row for each byte: line 500 + offset. */
function lines(out: ByteWriter, text: bigint): void {
  const header = bytesOf((part) => {
    part.u8(1, 1, 1, -5, 14, 13).append([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]);
    part.u8(1).uleb(1).uleb(DW_FORM.string).uleb(3).text("/build").text("fs").text("include");
    part.u8(2).uleb(1).uleb(DW_FORM.string).uleb(2).uleb(DW_FORM.udata).uleb(3);
    for (const [name, directory] of [
      ["read_write.c", 1],
      ["read_write.c", 1],
      ["access_ok.h", 2],
    ] as const)
      part.text(name).uleb(directory);
  });
  const program = bytesOf((part) => {
    part.u8(0, 9, 2).u64(text).u8(3).sleb(499).u8(1);
    for (let at = 1; at < 0x120; at++) part.u8(14 + 1 + 5 + 13);
    part.u8(2, 1, 0, 1, 1);
  });
  out
    .u32(2 + 2 + 4 + header.length + program.length)
    .u16(5)
    .u8(8, 0)
    .u32(header.length);
  out.append(header).append(program);
}
