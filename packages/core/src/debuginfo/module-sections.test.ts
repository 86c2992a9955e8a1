import { expect, test } from "vitest";
import type { AddressSpace } from "../memory/address-space.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import { hexBuildId } from "./elf/notes.ts";
import { readModuleImage } from "./module-sections.ts";
import { buildIdNote } from "./testing/make-elf-file.ts";

const MODULE = 0x1000n;

/** Types that know these offsets, "struct.member" each, and sizes by "struct". */
function types(offsets: Readonly<Record<string, number>>): TypeProvider {
  return {
    ...EmptyTypes,
    member: (struct, path) => {
      const offset = offsets[`${struct}.${path}`];
      return offset === undefined
        ? null
        : { offset, size: 8, bitOffset: offset * 8, bitSize: null, type: { kind: "void" } };
    },
    sizeOf: (struct) => offsets[struct] ?? null,
  };
}

/** Addresses with what is there; later ones win. */
type Content = readonly (readonly [number, bigint | string | Uint8Array])[];

/** Memory that holds words, texts and bytes at addresses. */
function memory(content: Content): AddressSpace {
  const known = new Map(content);
  const at = (address: bigint) => known.get(Number(address));
  const word = (address: bigint) => {
    const value = at(address);
    return typeof value === "bigint" ? value : null;
  };
  return {
    u64: word,
    u32: (address: bigint) => (word(address) === null ? null : Number(word(address))),
    cstring: (address: bigint) => (typeof at(address) === "string" ? (at(address) as string) : null),
    read: (address: bigint, length: number) => {
      const bytes = at(address);
      return bytes instanceof Uint8Array && bytes.length === length ? bytes : null;
    },
  } as unknown as AddressSpace;
}

const note = buildIdNote([0xab, 0xcd]);
const names: Content = [
  [0x9000, ".text"],
  [0x9100, ".init.text"],
  [0x9800, note],
];
const common = { "module.sect_attrs": 0, "module.notes_attrs": 8, "module.percpu": 16 };
const attribute = {
  bin_attribute: 64,
  "bin_attribute.attr.name": 0,
  "bin_attribute.size": 16,
  "bin_attribute.private": 24,
};
const start: Content = [
  [0x1000, 0x2000n],
  [0x1008, 0x3000n],
  [0x1010, 0n],
];
const oldNotes = { "module_notes_attrs.notes": 8, "module_notes_attrs.attrs": 16 };
const oldNote: Content = [
  [0x3008, 1n],
  [0x3020, BigInt(note.length)],
  [0x3028, 0x9800n],
];

test.each<[string, Readonly<Record<string, number>>, Content]>([
  [
    "an array of sections, the name in the attribute (5.8 to 6.13)",
    {
      ...common,
      ...attribute,
      ...oldNotes,
      module_sect_attr: 72,
      "module_sect_attrs.nsections": 32,
      "module_sect_attrs.attrs": 40,
      "module_sect_attr.battr": 0,
      "module_sect_attr.battr.attr.name": 0,
      "module_sect_attr.address": 64,
    },
    [
      ...start,
      ...oldNote,
      [0x2020, 2n],
      [0x2028, 0x9000n],
      [0x2068, 0x500000n],
      [0x2070, 0x9100n],
      [0x20b0, 0x600000n],
    ],
  ],
  [
    "an array of sections, the name beside the attribute (before 5.8)",
    {
      ...common,
      ...attribute,
      ...oldNotes,
      module_sect_attr: 72,
      "module_sect_attrs.nsections": 32,
      "module_sect_attrs.attrs": 40,
      "module_sect_attr.name": 56,
      "module_sect_attr.address": 64,
    },
    [
      ...start,
      ...oldNote,
      [0x2020, 2n],
      [0x2060, 0x9000n],
      [0x2068, 0x500000n],
      [0x20a8, 0x9100n],
      [0x20b0, 0x600000n],
    ],
  ],
  [
    "lists that end in NULL (6.14)",
    {
      ...common,
      ...attribute,
      "module_notes_attrs.grp": 0,
      "module_notes_attrs.grp.bin_attrs": 24,
      "module_sect_attrs.grp.bin_attrs": 24,
    },
    [
      ...start,
      [0x2018, 0x2100n],
      [0x2100, 0x2200n],
      [0x2108, 0x2300n],
      [0x2110, 0n],
      [0x2200, 0x9000n],
      [0x2218, 0x500000n],
      [0x2300, 0x9100n],
      [0x2318, 0x600000n],
      [0x3018, 0x3100n],
      [0x3100, 0x3200n],
      [0x3108, 0n],
      [0x3210, BigInt(note.length)],
      [0x3218, 0x9800n],
    ],
  ],
])("%s", (_what, offsets, content) => {
  const read = (...more: Content) => readModuleImage(memory([...names, ...content, ...more]), types(offsets), MODULE);
  const image = read();
  expect([...(image.sections ?? [])]).toEqual([
    [".text", 0x500000n],
    [".init.text", 0x600000n],
  ]);
  expect(hexBuildId(image.buildId!)).toBe("abcd");
  expect(read([0x1010, 0x7000n]).sections?.get(".data..percpu")).toBe(0x7000n);
});

test("nothing is known without types, and nothing of memory that is not there", () => {
  expect(readModuleImage(memory(start), EmptyTypes, MODULE)).toEqual({ sections: null, buildId: null });
  expect(readModuleImage(memory([]), types(common), MODULE)).toEqual({ sections: null, buildId: null });
});
