import fc from "fast-check";
import { expect, test } from "vitest";
import { DW_AT, DW_FORM, DW_TAG } from "../debuginfo/dwarf/constants.ts";
import { DwarfFile } from "../debuginfo/dwarf/dwarf-file.ts";
import { LoadedSection } from "../debuginfo/elf/debug-section.ts";
import { evaluateLocation } from "../debuginfo/location-expression.ts";
import { type BuiltDie, buildDwarf } from "../debuginfo/testing/dwarf-builder.ts";
import { variablesAt } from "../debuginfo/variables.ts";
import { stackVariablesAt } from "../debuginfo/variables-slots.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { DwarfTypes } from "./dwarf-types.ts";
import { definitionLines, formatDeclaration } from "./format-c.ts";

const type = (label: string) => [DW_AT.type, DW_FORM.ref4, { ref: label }] as const;
const name = (text: string) => [DW_AT.name, DW_FORM.strp, text] as const;
const LINKED = 0xffffffff81000000n;

const unit: BuiltDie = {
  tag: DW_TAG.compileUnit,
  attributes: [name("file.c"), [DW_AT.lowPc, DW_FORM.addr, LINKED], [DW_AT.highPc, DW_FORM.data4, 0x1000]],
  children: [
    { tag: DW_TAG.baseType, label: "int", attributes: [name("int_type"), [DW_AT.byteSize, DW_FORM.data1, 4]] },
    { tag: DW_TAG.pointerType, label: "pointer", attributes: [type("struct")] },
    {
      tag: DW_TAG.arrayType,
      label: "array",
      attributes: [type("pointer")],
      children: [{ tag: DW_TAG.subrangeType, attributes: [[DW_AT.count, DW_FORM.udata, 300]] }],
    },
    {
      tag: DW_TAG.structureType,
      label: "struct",
      attributes: [name("some_struct"), [DW_AT.byteSize, DW_FORM.data2, 2408]],
      children: ["int", "array", "pointer"].map((of, at) => ({
        tag: DW_TAG.member,
        attributes: [name(`member_${of}`), type(of), [DW_AT.dataMemberLocation, DW_FORM.data2, at * 8]],
      })),
    },
    {
      tag: DW_TAG.subprogram,
      attributes: [
        name("some_function"),
        type("pointer"),
        [DW_AT.lowPc, DW_FORM.addr, LINKED],
        [DW_AT.highPc, DW_FORM.data4, 0x100],
        [DW_AT.frameBase, DW_FORM.exprloc, [0x9c]],
      ],
      children: [
        {
          tag: DW_TAG.formalParameter,
          attributes: [name("parameter"), type("pointer"), [DW_AT.location, DW_FORM.exprloc, [0x91, 0x60]]],
        },
        {
          tag: DW_TAG.variable,
          attributes: [name("local"), type("array"), [DW_AT.location, DW_FORM.exprloc, [0xa3, 1, 0x55, 0x9f]]],
        },
      ],
    },
  ],
};

/** The built file's sections, with some bytes changed. */
function damaged(changes: readonly (readonly [number, number, number])[]): DwarfFile {
  const whole = buildDwarf([unit]);
  const names = [".debug_info", ".debug_abbrev", ".debug_str"];
  const sections = names.map((section) => {
    const original = whole.section(section)!;
    return original.bytes(0, original.size)!.slice();
  });
  for (const [section, at, value] of changes) {
    const bytes = sections[section % names.length]!;
    bytes[at % bytes.length] = value;
  }
  return new DwarfFile({
    name: "damaged",
    section(wanted) {
      const bytes = sections[names.indexOf(wanted)];
      return bytes === undefined ? null : new LoadedSection(wanted, bytes.length, () => bytes);
    },
    problems: [],
  });
}

/** Asks everything that there is to ask. */
function askAll(file: DwarfFile): void {
  const types = new DwarfTypes(file);
  const struct = types.structOrUnion("some_struct");
  if (struct !== null) definitionLines(struct);
  const func = types.func("some_function");
  if (func !== null) formatDeclaration(func, "f");
  types.variable("some_variable");
  types.enumOf("SOME_ENUMERATOR");
  types.member("some_struct", "member_array[7]");
  const source = {
    at: (address: bigint) => ({ file, pc: Number(BigInt.asIntN(64, address)) }),
    types: () => types,
    memory: { read: () => null } as unknown as AddressSpace,
  };
  const state = { pc: LINKED + 8n, afterCall: false, sp: 0x1000n, cfa: 0x2000n, registers: new Map<number, bigint>() };
  variablesAt(source, { ...state, caller: { ...state, afterCall: true } });
  stackVariablesAt(source, state);
}

const byte = fc.integer({ min: 0, max: 255 });

test("damaged debug information gives what is left of it: nothing hangs, nothing throws", () => {
  expect(new DwarfTypes(damaged([])).sizeOf("some_struct")).toBe(2408);
  const change = fc.tuple(fc.nat(2), fc.nat(4096), byte);
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      expect(() => askAll(damaged(changes))).not.toThrow();
    }),
    { numRuns: 1500 },
  );
});

test("any bytes are an expression with an end", () => {
  const context = {
    register: (number: number) => (number < 8 ? BigInt(number) * 0x1111n : null),
    cfa: 0x3000n,
    frameBase: () => 0x3000n,
    read: (address: bigint) => (address < 0x8000n ? address : null),
    relocate: (address: bigint) => address,
    indexed: () => null,
    entryValue: () => null,
    baseType: (offset: number) => (offset < 64 ? { size: 4, signed: true } : null),
    referenceSize: 4,
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.option(fc.nat(64)), (bytes, size) => {
      const place = evaluateLocation(bytes, context, size);
      expect(["memory", "value", "lost"]).toContain(place.kind);
      if (place.kind === "value")
        expect(place.bytes.every((one) => one === null || (one >= 0 && one < 256))).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
