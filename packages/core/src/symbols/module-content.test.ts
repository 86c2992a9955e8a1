import { describe, expect, it } from "vitest";
import { FakeMemory } from "../kernel/memory.fixture.ts";
import { ModuleContent } from "./module-content.ts";

const BASE = 0xffffffffc0400000n;
/** `struct module` lies among the module's data. */
const MODULE = BASE + 0x3100n;
const SYMTAB = BASE + 0x5000n;
const COUNT = 7;
const STRTAB = SYMTAB + BigInt(COUNT * 24);

/** Words of `struct module` by offset, in a module of 8 pages with 2 of text. */
function contentOf(words: Readonly<Record<number, bigint>>): ModuleContent {
  const memory = new FakeMemory();
  memory.map(BASE, 0x8000);
  for (const [at, value] of Object.entries(words)) memory.write64(MODULE + BigInt(at), value);
  return new ModuleContent(memory, MODULE);
}

const sizes = (low: number, high: number) => BigInt(low) | (BigInt(high) << 32n);
const ONE_AREA = [
  { start: BASE, size: 0x2000, text: true },
  { start: BASE + 0x2000n, size: 0x6000, text: false },
];
const LAYOUT = { 320: BASE, 328: sizes(0x8000, 0x2000), 336: sizes(0x5000, 0x5000) };

describe("areas", () => {
  it.each<[string, Readonly<Record<number, bigint>>, readonly unknown[]]>([
    ["core_layout, 4.5 to 6.3", LAYOUT, ONE_AREA],
    ["module_core, up to 4.4", { 320: BASE, 328: sizes(0, 0x8000), 336: sizes(0, 0x2000) }, ONE_AREA],
    [
      "mem, 6.4 on, of 72 bytes each",
      {
        320: BASE,
        328: sizes(0x2000, 0),
        [0x140 + 72]: BASE + 0x3000n,
        [0x148 + 72]: sizes(0x1000, 0),
        [0x140 + 144]: BASE + 0x4000n,
        [0x148 + 144]: sizes(0x1000, 0),
      },
      [
        { start: BASE, size: 0x2000, text: true },
        { start: BASE + 0x3000n, size: 0x1000, text: false },
        { start: BASE + 0x4000n, size: 0x1000, text: false },
      ],
    ],
    ["nothing that holds the struct itself", { 320: BASE, 328: sizes(0x3000, 0x2000) }, []],
    ["text larger than all", { 320: BASE, 328: sizes(0x8000, 0x9000) }, []],
    ["an address outside the modules' space", { 320: 0xffff888000000000n, 328: sizes(0x8000, 0x2000) }, []],
    ["nothing at all", {}, []],
  ])("%s", (_name, words, areas) => {
    expect(contentOf(words).areas()).toEqual(areas);
  });
});

describe("symbols", () => {
  const symbols = (words: Readonly<Record<number, bigint>>) => {
    const content = contentOf({ ...LAYOUT, ...words });
    return content.symbols(content.areas());
  };
  const found = { symtab: SYMTAB, count: COUNT, strtab: STRTAB };
  const typetab = STRTAB + 0x100n;
  it.each<[string, Readonly<Record<number, bigint>>, unknown]>([
    ["since 5.2", { 512: SYMTAB, 520: BigInt(COUNT), 528: STRTAB, 536: typetab }, { ...found, typetab }],
    ["before", { 512: SYMTAB, 520: BigInt(COUNT), 528: STRTAB }, { ...found, typetab: null }],
    [
      "before 4.5, where each is there twice",
      { 512: SYMTAB, 520: SYMTAB, 528: sizes(COUNT, COUNT), 536: STRTAB, 544: STRTAB },
      { ...found, typetab: null },
    ],
    [
      "strings elsewhere, behind a blank symbol",
      { 512: SYMTAB, 520: BigInt(COUNT), 528: STRTAB + 0x80n },
      { ...found, strtab: STRTAB + 0x80n, typetab: null },
    ],
    ["strings inside the table", { 512: SYMTAB, 520: BigInt(COUNT), 528: STRTAB - 8n }, null],
    ["a count of nothing", { 512: SYMTAB, 520: 0n, 528: STRTAB }, null],
    ["a count past any", { 512: SYMTAB, 520: 0x7fffffffn, 528: STRTAB }, null],
    ["strings outside the module", { 512: SYMTAB, 520: BigInt(COUNT), 528: BASE + 0x9000n }, null],
  ])("%s", (_name, words, location) => {
    expect(symbols(words)).toEqual(location);
  });
});
