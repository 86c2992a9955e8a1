import { describe, expect, test } from "vitest";
import { type ByteWriter, bytesOf } from "../testing/byte-writer.ts";
import { dwarfFile } from "../testing/make-dwarf.ts";
import { DW_FORM } from "./constants.ts";
import { endsWithPath, joinPath, LineTable } from "./line-table.ts";

const TEXT = 0xffffffff81000000n;
const LOW = -0x7f000000;

/** Special opcode: `address` and `line` further, for the header that these tests write (line base -5, range 14, base 13). */
const special = (address: number, line: number) => address * 14 + line + 5 + 13;

/** Rows: 0..3 line 10, 4..7 line 12, 8..b line 5, in file 1; then another sequence lower down. */
function program(out: ByteWriter): void {
  out.u8(0, 9, 2).u64(TEXT);
  out.u8(3).sleb(9).u8(5, 3, 1);
  out.u8(special(4, 2));
  out.u8(6, special(4, -5)).u8(3).sleb(-2).u8(2).uleb(4).u8(1, 6);
  out.u8(4).uleb(2).u8(3).sleb(98).u8(9).u16(4).u8(1);
  out.u8(2).uleb(8).u8(0, 1, 1);
  out
    .u8(0, 9, 2)
    .u64(TEXT - 0x100n)
    .u8(3)
    .sleb(199)
    .u8(1, 8, 0, 2, 4, 0)
    .u8(0, 1, 1);
}

function header(
  out: ByteWriter,
  version: 2 | 3 | 4 | 5,
  tables: (out: ByteWriter, offsetSize: 4 | 8) => void,
  offsetSize: 4 | 8 = 4,
) {
  const inner = bytesOf((part) => {
    part.u8(1);
    if (version >= 4) part.u8(1);
    part.u8(1, -5, 14, 13).append([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]);
    tables(part, offsetSize);
  });
  const body = bytesOf((part) => {
    part.u16(version);
    if (version >= 5) part.u8(8, 0);
    part.offset(inner.length, offsetSize).append(inner);
    program(part);
  });
  if (offsetSize === 8) out.u32(0xffffffff);
  out.offset(body.length, offsetSize).append(body);
}

function oldTables(out: ByteWriter): void {
  out.text("kernel").text("/abs/include").u8(0);
  out.text("panic.c").uleb(1).uleb(0).uleb(0);
  out.text("../x/bug.h").uleb(2).uleb(0).uleb(0);
  out.text("main.c").uleb(0).uleb(0).uleb(0).u8(0);
}

function newTables(out: ByteWriter, offsetSize: 4 | 8): void {
  out.u8(1).uleb(1).uleb(DW_FORM.lineStrp).uleb(3);
  for (const offset of [0, 7, 14]) out.offset(offset, offsetSize);
  out.u8(3).uleb(1).uleb(DW_FORM.string).uleb(2).uleb(DW_FORM.udata).uleb(5).uleb(DW_FORM.data16).uleb(4);
  const md5 = new Uint8Array(16);
  out.text("panic.c").uleb(1).append(md5).text("panic.c").uleb(1).append(md5);
  out.text("../x/bug.h").uleb(2).append(md5).text("main.c").uleb(0).append(md5);
}

function table(version: 2 | 3 | 4 | 5, offsetSize: 4 | 8 = 4): LineTable {
  const file = dwarfFile({
    ".debug_line": bytesOf((out) => header(out.u32(0), version, version >= 5 ? newTables : oldTables, offsetSize)),
    ".debug_line_str": bytesOf((out) => out.text("/build").text("kernel").text("/abs/include")),
  });
  return new LineTable(file, 4, "/build", 8);
}

describe.each([
  [2, 4],
  [3, 4],
  [4, 4],
  [4, 8],
  [5, 4],
  [5, 8],
] as const)("a line program of version %i, offsets of %i bytes", (version, offsetSize) => {
  const lines = table(version, offsetSize);
  const at = (offset: number) => {
    const found = lines.at(LOW + offset);
    return found === null ? null : `${found.file}:${found.line}${found.column === null ? "" : `:${found.column}`}`;
  };

  test("tells the line of every address", () => {
    expect([-0x101, -0x100, -1, 0, 3, 4, 7, 8, 0xb, 0xc, 0xf, 0x10, 0x17, 0x18].map(at)).toEqual([
      null,
      "kernel/panic.c:200",
      // The second sequence is 17 bytes long: DW_LNS_const_add_pc.
      null,
      "kernel/panic.c:10:3",
      "kernel/panic.c:10:3",
      "kernel/panic.c:12:3",
      "kernel/panic.c:12:3",
      "kernel/panic.c:7:3",
      "kernel/panic.c:7:3",
      "kernel/panic.c:5:3",
      "kernel/panic.c:5:3",
      "/abs/x/bug.h:103:3",
      "/abs/x/bug.h:103:3",
      null,
    ]);
  });

  test("names files by their directories, those of directory 0 by the unit's", () => {
    expect([1, 2, 3, 9].map((number) => lines.path(number))).toEqual([
      "kernel/panic.c",
      "/abs/x/bug.h",
      "/build/main.c",
      null,
    ]);
    expect(lines.path(0)).toBe(version >= 5 ? "kernel/panic.c" : null);
  });

  test("finds where a line begins, at statements only", () => {
    const number = lines.filesNamed("panic.c").at(-1)!;
    expect([10, 12, 7, 5, 200].map((line) => lines.addressesOf(number, line).map((address) => address - LOW))).toEqual([
      [0],
      [4],
      [],
      [],
      [-0x100],
    ]);
  });
});

test.each([
  ["a later version", 4 + 4, [6, 0]],
  ["a line range of zero", 4 + 4 + 2 + 4 + 4, [0]],
  ["a header longer than all", 4 + 4 + 2, [0xff, 0xff, 0xff, 0x7f]],
])("%s is damage", (_what, at, bytes) => {
  const section = bytesOf((out) => header(out.u32(0), 4, oldTables));
  section.set(bytes, at);
  const read = () => new LineTable(dwarfFile({ ".debug_line": section }), 4, "", 8);
  expect(read).toThrow(expect.objectContaining({ code: "SPW_DEBUGINFO_CORRUPT" }));
});

test.each([
  ["a", "b.c", "a/b.c"],
  ["", "b.c", "b.c"],
  ["a", "/b.c", "/b.c"],
  ["./a", "../b/./c.c", "b/c.c"],
  ["a", "../../b.c", "../b.c"],
  ["/a", "../../b.c", "/b.c"],
])("%j and %j make %j", (directory, name, path) => expect(joinPath(directory, name)).toBe(path));

test.each([
  ["kernel/panic.c", "panic.c", true],
  ["kernel/panic.c", "kernel/panic.c", true],
  ["kernel/panic.c", "./kernel/panic.c", true],
  ["kernel/nopanic.c", "panic.c", false],
  ["/build/kernel/panic.c", "kernel/panic.c", true],
])("%j ends in %j: %s", (path, end, does) => expect(endsWithPath(path, end)).toBe(does));
