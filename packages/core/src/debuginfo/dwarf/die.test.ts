import { describe, expect, test } from "vitest";
import { bytesOf } from "../testing/byte-writer.ts";
import { dwarfFile, type MadeAttribute, type MadeUnit, makeDwarf } from "../testing/make-dwarf.ts";
import { DW_AT, DW_FORM, DW_TAG, DW_UT } from "./constants.ts";
import type { Die } from "./die.ts";

const AT = DW_AT.constValue;
const BASE = 0xffffffff81000000n;

/** A unit whose root has one attribute, among others of every length. */
function rootWith(attribute: MadeAttribute, unit: Partial<MadeUnit> = {}): Die {
  const before: MadeAttribute[] = [
    [DW_AT.producer, DW_FORM.string, "a compiler"],
    [DW_AT.language, DW_FORM.udata, 300],
  ];
  const { sections } = makeDwarf([
    {
      ...unit,
      root: { tag: DW_TAG.compileUnit, attributes: [...before, attribute, [DW_AT.name, DW_FORM.string, "a.c"]] },
    },
  ]);
  const file = dwarfFile({
    ...sections,
    ".debug_str": bytesOf((out) => out.text("zero").text("five")),
    ".debug_line_str": bytesOf((out) => out.text("zero").text("line")),
    ".debug_str_offsets": bytesOf((out) => out.u32(12).u16(5).u16(0).u32(0).u32(5)),
    ".debug_addr": bytesOf((out) =>
      out
        .u32(20)
        .u16(5)
        .u8(8, 0)
        .u64(BASE)
        .u64(BASE + 16n),
    ),
    ".debug_rnglists": bytesOf((out) => out.u32(16).u16(5).u8(8, 0).u32(2).u32(0x77).u32(0x99)),
  });
  const root = file.unit(0)!.root;
  // What follows is found too: the value was taken for as long as it is.
  expect(root.name).toBe("a.c");
  return root;
}

describe("values by their forms", () => {
  test.each([
    ["data1", DW_FORM.data1, 200, 200],
    ["data2", DW_FORM.data2, 60000, 60000],
    ["data4", DW_FORM.data4, 0xfedcba98, 0xfedcba98],
    ["data8", DW_FORM.data8, 2 ** 40, 2 ** 40],
    ["udata", DW_FORM.udata, 624485, 624485],
    ["sdata", DW_FORM.sdata, -7, -7],
    ["implicit_const", DW_FORM.implicitConst, -5, -5],
    ["indirect", DW_FORM.indirect, [DW_FORM.data2, 1, 2], 0x201],
    ["indirect twice", DW_FORM.indirect, [DW_FORM.udata, 3], 3],
  ] as const)("number: %s", (_name, form, value, expected) => {
    expect(rootWith([AT, form, value as never]).number(AT)).toBe(expected);
  });

  test.each([
    ["data8", DW_FORM.data8, 2n ** 64n - 1n, 2n ** 64n - 1n],
    ["sdata", DW_FORM.sdata, -(2n ** 62n), -(2n ** 62n)],
    ["udata", DW_FORM.udata, 2n ** 63n, 2n ** 63n],
    ["data1", DW_FORM.data1, 9n, 9n],
    ["implicit_const", DW_FORM.implicitConst, -3, -3n],
  ] as const)("bigint: %s", (_name, form, value, expected) => {
    expect(rootWith([AT, form, value]).bigint(AT)).toBe(expected);
  });

  test.each([
    ["string", DW_FORM.string, "text", "text"],
    ["strp", DW_FORM.strp, 5, "five"],
    ["line_strp", DW_FORM.lineStrp, 5, "line"],
    ["strx", DW_FORM.strx, 1, "five"],
    ["strx1", DW_FORM.strx1, 0, "zero"],
    ["strx2", DW_FORM.strx2, 1, "five"],
    ["strx3", DW_FORM.strx3, 1, "five"],
    ["strx4", DW_FORM.strx4, 1, "five"],
    ["strp outside", DW_FORM.strp, 500, null],
    ["strx outside", DW_FORM.strx, 500, null],
  ] as const)("text: %s", (_name, form, value, expected) => {
    expect(rootWith([AT, form, value]).string(AT)).toBe(expected);
  });

  test.each([
    ["addr", DW_FORM.addr, BASE + 4n, BASE + 4n],
    ["addrx", DW_FORM.addrx, 1, BASE + 16n],
    ["addrx1", DW_FORM.addrx1, 0, BASE],
    ["addrx3", DW_FORM.addrx3, 1, BASE + 16n],
    ["addrx4", DW_FORM.addrx4, 9, null],
    ["data4", DW_FORM.data4, 9, null],
  ] as const)("address: %s", (_name, form, value, expected) => {
    expect(rootWith([AT, form, value]).address(AT)).toBe(expected);
  });

  test.each([
    ["sec_offset", DW_FORM.secOffset, 77, {}, 77],
    ["sec_offset, 64-bit form", DW_FORM.secOffset, 77, { offsetSize: 8 }, 77],
    ["data4 of DWARF 3", DW_FORM.data4, 78, { version: 3 }, 78],
    ["data4 of DWARF 4 is a number", DW_FORM.data4, 78, { version: 4 }, null],
    ["rnglistx", DW_FORM.rnglistx, 1, {}, 12 + 0x99],
  ] as const)("section offset: %s", (_name, form, value, unit, expected) => {
    expect(rootWith([AT, form, value], unit).sectionOffset(AT)).toBe(expected);
  });

  test.each([
    ["exprloc", DW_FORM.exprloc],
    ["block", DW_FORM.block],
    ["block1", DW_FORM.block1],
    ["block2", DW_FORM.block2],
    ["block4", DW_FORM.block4],
  ] as const)("block: %s", (_name, form) => {
    expect([...rootWith([AT, form, [1, 2, 3]]).block(AT)!]).toEqual([1, 2, 3]);
  });

  test.each([
    ["flag_present", DW_FORM.flagPresent, 0, true],
    ["flag", DW_FORM.flag, 1, true],
    ["flag that is off", DW_FORM.flag, 0, false],
    ["a number", DW_FORM.data1, 1, false],
  ] as const)("flag: %s", (_name, form, value, expected) => {
    expect(rootWith([AT, form, value]).flag(AT)).toBe(expected);
  });

  test("a missing attribute is null, whatever is asked", () => {
    const die = rootWith([AT, DW_FORM.data1, 1]);
    const asked = [
      die.number(0x99),
      die.bigint(0x99),
      die.string(0x99),
      die.address(0x99),
      die.block(0x99),
      die.form(0x99),
    ];
    expect([...asked, die.reference(0x99), die.sectionOffset(0x99)].every((one) => one === null)).toBe(true);
    expect(die.flag(0x99)).toBe(false);
  });

  test.each([DW_FORM.refSup4, DW_FORM.refSup8, DW_FORM.gnuRefAlt])(
    "a reference into a supplementary file (form %i) is null, and said once",
    (form) => {
      const die = rootWith([AT, form, 1]);
      expect(die.reference(AT)).toBeNull();
      expect(die.reference(AT)).toBeNull();
      expect(die.unit.file.problems).toEqual([expect.stringContaining("gnu_debugaltlink")]);
    },
  );

  test("an unknown form is damage", () => {
    const die = rootWith([AT, DW_FORM.data1, 1]);
    expect(die.unit.file.problems).toEqual([]);
    expect(() => rootWith([AT, 0x7777, 1])).toThrow(expect.objectContaining({ code: "SPW_DEBUGINFO_CORRUPT" }));
  });
});

describe("units", () => {
  test.each([
    [2, 4, 8],
    [3, 4, 8],
    [4, 4, 8],
    [4, 8, 8],
    [5, 4, 8],
    [5, 8, 8],
    [4, 4, 4],
    [5, 4, 4],
  ] as const)("DWARF %i, offsets of %i and addresses of %i bytes", (version, offsetSize, addressSize) => {
    const unit = (name: string): MadeUnit => ({
      version,
      offsetSize,
      addressSize,
      root: {
        tag: DW_TAG.compileUnit,
        attributes: [
          [DW_AT.lowPc, DW_FORM.addr, 0x1234],
          [DW_AT.name, DW_FORM.string, name],
        ],
      },
    });
    const file = dwarfFile(makeDwarf([unit("a.c"), unit("b.c")]).sections);
    const units = [...file.units()];
    expect(units.map((one) => [one.root.name, one.header.version, one.lowPc])).toEqual([
      ["a.c", version, 0x1234],
      ["b.c", version, 0x1234],
    ]);
  });

  const typeUnit: MadeUnit = {
    type: DW_UT.type,
    signature: 0xfeedn,
    typeLabel: "the type",
    root: {
      tag: DW_TAG.typeUnit,
      attributes: [],
      children: [
        { tag: DW_TAG.structureType, label: "the type", attributes: [[DW_AT.name, DW_FORM.string, "request"]] },
      ],
    },
  };
  const user = (version: 4 | 5): MadeUnit => ({
    version,
    root: {
      tag: DW_TAG.compileUnit,
      attributes: [
        [DW_AT.type, DW_FORM.refSig8, 0xfeedn],
        [AT, DW_FORM.refSig8, 0xbadn],
      ],
    },
  });

  test("types by their signature, from a type unit of DWARF 5", () => {
    const root = dwarfFile(makeDwarf([typeUnit, user(5)]).sections).dieAt(
      makeDwarf([typeUnit]).sections[".debug_info"]!.length + 12,
    )!;
    expect(root.reference(DW_AT.type)?.name).toBe("request");
    expect(root.reference(AT)).toBeNull();
  });

  test("types by their signature, from .debug_types of DWARF 4", () => {
    const types = makeDwarf([{ ...typeUnit, version: 4 }]).sections;
    const main = makeDwarf([user(4)]).sections;
    const abbrev = main[".debug_abbrev"]!;
    // The type unit's abbreviations follow the main unit's.
    types[".debug_info"]![6] = abbrev.length;
    const file = dwarfFile({
      ".debug_info": main[".debug_info"]!,
      ".debug_types": types[".debug_info"]!,
      ".debug_abbrev": Uint8Array.from([...abbrev, ...types[".debug_abbrev"]!]),
    });
    expect(file.unit(0)!.root.reference(DW_AT.type)?.name).toBe("request");
  });

  test.each([
    ["a version of the future", (info: Uint8Array) => info.fill(9, 4, 5)],
    ["a length past the end", (info: Uint8Array) => info.fill(0xf0, 0, 4)],
    ["no length", (info: Uint8Array) => info.fill(0, 0, 4)],
  ])("a unit with %s ends the list, and is said", (_what, damage) => {
    const { sections } = makeDwarf([user(5)]);
    damage(sections[".debug_info"]!);
    const file = dwarfFile(sections);
    expect([...file.units()]).toEqual([]);
    expect(file.problems).toHaveLength(1);
  });
});

describe("walking", () => {
  const named = (name: string, more: readonly MadeAttribute[] = []): readonly MadeAttribute[] => [
    [DW_AT.name, DW_FORM.string, name],
    ...more,
  ];
  const inner = {
    tag: DW_TAG.lexicalBlock,
    attributes: named("b"),
    children: [{ tag: DW_TAG.variable, attributes: named("c") }],
  };
  const tree = (sibling: string | null): MadeUnit => ({
    root: {
      tag: DW_TAG.compileUnit,
      attributes: named("root"),
      children: [
        {
          tag: DW_TAG.subprogram,
          attributes: named("a", sibling === null ? [] : [[DW_AT.sibling, DW_FORM.ref4, sibling]]),
          children: [inner, { tag: DW_TAG.variable, attributes: named("d") }],
        },
        { tag: DW_TAG.variable, label: "e", attributes: named("e", [[DW_AT.type, DW_FORM.ref4, "f"]]) },
        { tag: DW_TAG.baseType, label: "f", attributes: named("f") },
      ],
    },
  });

  test.each([
    ["by DW_AT_sibling", "e"],
    ["through the children where there is none", null],
    ["and not backwards where it leads there", "nowhere"],
  ])("from one DIE to the next: %s", (_how, sibling) => {
    const root = dwarfFile(makeDwarf([tree(sibling)]).sections).unit(0)!.root;
    expect([...root.children()].map((die) => die.name)).toEqual(["a", "e", "f"]);
    const first = [...root.children()][0]!;
    expect([...first.children()].map((die) => die.name)).toEqual(["b", "d"]);
  });

  test("references, within the unit and into another", () => {
    const other: MadeUnit = { root: { tag: DW_TAG.compileUnit, attributes: [[AT, DW_FORM.refAddr, "f"]] } };
    const { sections, labels } = makeDwarf([tree(null), other]);
    const file = dwarfFile(sections);
    const units = [...file.units()];
    expect(file.dieAt(labels.get("e")!)?.reference(DW_AT.type)?.name).toBe("f");
    expect(units[1]!.root.reference(AT)?.name).toBe("f");
    expect(units[1]!.root.reference(AT)?.unit).toBe(units[0]);
  });

  test("abstract origins that lead in a circle have an end", () => {
    const circle: MadeUnit = {
      root: { tag: DW_TAG.subprogram, label: "x", attributes: [[DW_AT.abstractOrigin, DW_FORM.ref4, "x"]] },
    };
    expect(
      dwarfFile(makeDwarf([circle]).sections)
        .unit(0)!
        .root.originWith(DW_AT.name),
    ).toBeNull();
  });

  test("units whose bytes were let go are read again", () => {
    const file = dwarfFile(makeDwarf([tree(null)]).sections);
    const unit = file.unit(0)!;
    const first = [...unit.root.children()][0]!;
    unit.release();
    expect(first.name).toBe("a");
  });
});
