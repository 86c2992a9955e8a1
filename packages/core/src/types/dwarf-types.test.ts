import { describe, expect, test } from "vitest";
import { DW_AT, DW_FORM, DW_TAG } from "../debuginfo/dwarf/constants.ts";
import { type BuiltDie, type BuiltValue, buildDwarf } from "../debuginfo/testing/dwarf-builder.ts";
import { DwarfTypes } from "./dwarf-types.ts";
import { EmptyTypes } from "./empty-types.ts";
import { definitionLines, enumLines, formatDeclaration } from "./format-c.ts";
import type { CType } from "./type-provider.ts";

type Attribute = readonly [number, number, BuiltValue];

const name = (text: string): Attribute => [DW_AT.name, text.length < 4 ? DW_FORM.string : DW_FORM.strp, text];
const type = (label: string): Attribute => [DW_AT.type, DW_FORM.ref4, { ref: label }];
const size = (bytes: number): Attribute => [DW_AT.byteSize, DW_FORM.data1, bytes];
const number = (at: number, value: number): Attribute => [at, DW_FORM.data1, value];
const declaration: Attribute = [DW_AT.declaration, DW_FORM.flagPresent, 1];

function die(
  tag: number,
  attributes: readonly Attribute[],
  children: readonly BuiltDie[] = [],
  label?: string,
): BuiltDie {
  return { tag, attributes, children, ...(label === undefined ? {} : { label }) };
}

const unit = (...children: BuiltDie[]) => die(DW_TAG.compileUnit, [name("file.c")], children);
const base = (label: string, text: string, bytes: number, encoding: number) =>
  die(DW_TAG.baseType, [name(text), size(bytes), number(DW_AT.encoding, encoding)], [], label);
const int = (label = "int") => base(label, "int", 4, 5);
const member = (text: string, of: string, offset: number, ...more: Attribute[]) =>
  die(DW_TAG.member, [name(text), type(of), number(DW_AT.dataMemberLocation, offset), ...more]);

const BITS: BuiltDie[] = [
  // DWARF 4 and later.
  die(DW_TAG.member, [name("low"), type("u32"), number(DW_AT.bitSize, 3), number(DW_AT.dataBitOffset, 0)]),
  die(DW_TAG.member, [name("high"), type("u32"), number(DW_AT.bitSize, 5), number(DW_AT.dataBitOffset, 33)]),
  // DWARF 2 and 3: from the top of a storage unit.
  member("old", "u32", 8, number(DW_AT.bitSize, 3), number(DW_AT.bitOffset, 29)),
  member("older", "u32", 8, number(DW_AT.bitSize, 4), number(DW_AT.bitOffset, 0), size(2)),
];

const first = unit(
  int(),
  base("u32", "unsigned int", 4, 7),
  base("char", "char", 1, 6),
  base("bool", "_Bool", 1, 2),
  base("double", "double", 8, 4),
  die(DW_TAG.pointerType, [size(8)], [], "void*"),
  die(DW_TAG.pointerType, [size(8), type("forward")], [], "forward*"),
  die(DW_TAG.structureType, [name("later"), declaration], [], "forward"),
  die(DW_TAG.constType, [type("char")], [], "const char"),
  die(DW_TAG.volatileType, [type("int")], [], "volatile int"),
  die(
    DW_TAG.arrayType,
    [type("int")],
    [die(DW_TAG.subrangeType, [number(DW_AT.upperBound, 1)]), die(DW_TAG.subrangeType, [number(DW_AT.count, 3)])],
    "int[2][3]",
  ),
  die(DW_TAG.arrayType, [type("char")], [die(DW_TAG.subrangeType, [])], "char[]"),
  die(
    DW_TAG.structureType,
    [name("box"), size(64)],
    [
      member("kind", "int", 0),
      member("next", "forward*", 8),
      member("any", "void*", 16),
      member("grid", "int[2][3]", 24),
      die(DW_TAG.member, [type("nameless"), number(DW_AT.dataMemberLocation, 48)]),
      // DWARF 2: an expression that adds the offset.
      die(DW_TAG.member, [name("old"), type("int"), [DW_AT.dataMemberLocation, DW_FORM.block1, [0x23, 60]]]),
      member("rest", "char[]", 64),
    ],
  ),
  die(
    DW_TAG.unionType,
    [size(8)],
    [die(DW_TAG.member, [name("word"), type("u32")]), die(DW_TAG.member, [name("real"), type("double")])],
    "nameless",
  ),
  die(DW_TAG.structureType, [name("bits"), size(12)], BITS),
  die(DW_TAG.typedef, [name("box_t"), type("forward*")]),
  die(
    DW_TAG.enumerationType,
    [name("state"), size(4)],
    [
      die(DW_TAG.enumerator, [name("STATE_UP"), number(DW_AT.constValue, 200)]),
      die(DW_TAG.enumerator, [name("STATE_DOWN"), [DW_AT.constValue, DW_FORM.sdata, -1]]),
    ],
  ),
  die(DW_TAG.subroutineType, [type("int")], [die(DW_TAG.formalParameter, [type("void*")])], "callback"),
  die(DW_TAG.pointerType, [size(8), type("callback")], [], "callback*"),
  die(
    DW_TAG.subprogram,
    [name("walk_boxes"), type("int")],
    [
      die(DW_TAG.formalParameter, [name("visit"), type("callback*")]),
      die(DW_TAG.formalParameter, [name("flag"), type("bool")]),
      die(DW_TAG.unspecifiedParameters, []),
    ],
  ),
  die(DW_TAG.subprogram, [name("declared_only"), declaration]),
  die(DW_TAG.variable, [name("banner"), type("char[]"), declaration]),
  die(DW_TAG.variable, [name("ticks"), type("volatile int")]),
);

const second = unit(
  int("int2"),
  base("char2", "char", 1, 6),
  die(DW_TAG.structureType, [name("later"), size(4)], [member("value", "int2", 0)]),
  die(DW_TAG.arrayType, [type("char2")], [die(DW_TAG.subrangeType, [number(DW_AT.upperBound, 15)])], "char[16]"),
  die(DW_TAG.arrayType, [type("char2")], [die(DW_TAG.subrangeType, [])], "char2[]"),
  die(DW_TAG.variable, [name("banner"), type("char2[]"), declaration], [], "declared banner"),
  die(DW_TAG.variable, [[DW_AT.specification, DW_FORM.ref4, { ref: "declared banner" }], type("char[16]")]),
  // A lesser struct of a name that the first unit has.
  die(DW_TAG.structureType, [name("box"), size(1)]),
  die(DW_TAG.typedef, [name("u8"), type("char2")]),
);

const types = new DwarfTypes(buildDwarf([first, second]));
const declared = (found: CType | null, as: string) => (found === null ? null : formatDeclaration(found, as));

describe("DwarfTypes", () => {
  test("a struct, with what it is made of", () => {
    expect(definitionLines(types.structOrUnion("box")!).map((line) => `${line.bitOffset ?? "-"} ${line.text}`)).toEqual(
      [
        "- struct box {",
        "0 int kind;",
        "64 struct later *next;",
        "128 void *any;",
        "192 int grid[2][3];",
        "- union {",
        "384 unsigned int word;",
        "384 double real;",
        "- };",
        "480 int old;",
        "512 char rest[];",
        "- }",
      ],
    );
    expect(types.sizeOf("box")).toBe(64);
    expect(types.member("box", "real")).toMatchObject({ offset: 48, size: 8 });
    expect(types.member("box", "grid[1]")).toMatchObject({ offset: 36, size: 12 });
  });

  test.each([
    ["low", 0, 3],
    ["high", 33, 5],
    ["old", 64, 3],
    ["older", 76, 4],
  ])("the bit field %s", (path, bitOffset, bitSize) => {
    expect(types.member("bits", path)).toMatchObject({ bitOffset, bitSize });
  });

  test("a struct that one unit declares is completed from another", () => {
    expect(types.member("box", "next")?.type).toMatchObject({ kind: "pointer" });
    const target = types.member("box", "next")?.type;
    expect(target?.kind === "pointer" && target.target).toMatchObject({ kind: "struct", name: "later", size: 4 });
  });

  test("a struct that is nowhere defined stays a forward declaration, or comes from outside", () => {
    const only = () =>
      buildDwarf([
        unit(
          die(DW_TAG.typedef, [name("gone_t"), type("g")]),
          die(DW_TAG.structureType, [name("gone"), declaration], [], "g"),
        ),
      ]);
    const alone = new DwarfTypes(only()).typedef("gone_t");
    expect(alone?.kind === "typedef" && alone.target).toEqual({ kind: "forward", name: "gone", union: false });
    const outer = { kind: "struct" as const, name: "gone", size: 9, members: [] };
    const helped = new DwarfTypes(only(), { ...EmptyTypes, structOrUnion: () => outer }).typedef("gone_t");
    expect(helped?.kind === "typedef" && helped.target).toBe(outer);
  });

  test("functions, variables, typedefs, enums", () => {
    expect(declared(types.func("walk_boxes"), "walk_boxes")).toBe(
      "int walk_boxes(int (*visit)(void *), bool flag, ...)",
    );
    expect(types.func("declared_only")).toBeNull();
    expect(declared(types.variable("ticks"), "ticks")).toBe("volatile int ticks");
    expect(declared(types.variable("banner"), "banner")).toBe("char banner[16]");
    expect(types.typedef("box_t")).toMatchObject({ kind: "typedef", name: "box_t" });
    expect(types.typedef("u8")).toMatchObject({ kind: "typedef", name: "u8" });
    expect(enumLines(types.enumeration("state")!)).toEqual([
      "enum state {",
      "  STATE_UP = 200",
      "  STATE_DOWN = -1",
      "}",
    ]);
    expect(types.enumeration("state")?.signed).toBe(true);
    expect(types.enumerator("STATE_DOWN")).toBe(-1n);
    expect(types.enumOf("STATE_UP")?.name).toBe("state");
  });

  test("what is not there", () => {
    expect(types.structOrUnion("nothing_of_that_name")).toBeNull();
    expect(types.structOrUnion("no")).toBeNull();
    expect(types.typedef("box")).toBeNull();
    expect(types.enumOf("walk_boxes")).toBeNull();
  });
});

test("a name that the linker keeps at the end of another one is found", () => {
  const file = buildDwarf([unit(die(DW_TAG.structureType, [name("list_head"), size(16)]))], {
    strings: ["hlist_head", "my_list_head"],
  });
  expect(new DwarfTypes(file).sizeOf("list_head")).toBe(16);
  expect(new DwarfTypes(file).sizeOf("hlist_head")).toBeNull();
});

test("types that lead back to themselves end", () => {
  const file = buildDwarf([
    unit(
      die(DW_TAG.typedef, [name("round_t"), type("const round")], [], "round"),
      die(DW_TAG.constType, [type("round")], [], "const round"),
      die(DW_TAG.arrayType, [type("array")], [die(DW_TAG.subrangeType, [number(DW_AT.count, 9)])], "array"),
      die(DW_TAG.structureType, [name("knot"), size(8)], [member("array", "array", 0), member("round", "round", 0)]),
    ),
  ]);
  const found = new DwarfTypes(file);
  expect(definitionLines(found.structOrUnion("knot")!)).toHaveLength(4);
});

test("a type that cannot be read is void", () => {
  const file = buildDwarf([
    unit(
      die(DW_TAG.structureType, [name("fine_struct"), size(4)]),
      die(
        DW_TAG.structureType,
        [name("torn_struct"), size(8)],
        [
          die(DW_TAG.member, [name("good"), [DW_AT.type, DW_FORM.data4, 1]]),
          die(DW_TAG.member, [name("lost_type"), [DW_AT.type, DW_FORM.refAddr, { ref: "end" }]]),
        ],
      ),
    ),
    { tag: DW_TAG.compileUnit, label: "end" },
  ]);
  const found = new DwarfTypes(file);
  expect(found.sizeOf("fine_struct")).toBe(4);
  expect(found.structOrUnion("torn_struct")?.members.map((one) => one.type.kind)).toEqual(["void", "void"]);
});
