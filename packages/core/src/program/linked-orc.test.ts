/** ORC tables as a linker leaves them, object file behind object file: what a kernel that is a file gets out of them. */
import { describe, expect, test } from "vitest";
import { MemorySource } from "../bytes/byte-source.ts";
import { readSections } from "../debuginfo/elf/elf-sections.ts";
import { ByteWriter } from "../debuginfo/testing/byte-writer.ts";
import { makeElfFile, symbolTable } from "../debuginfo/testing/make-elf-file.ts";
import { OrcRun } from "../unwind/orc-run.ts";
import { ImageProgram } from "./image-program.ts";
import { withModules } from "./modules/with-modules.ts";
import type { Program } from "./program.ts";
import { CODE, CONSTANT, makeModule } from "./testing/make-module.ts";

const TEXT = 0xffffffff81000000n;
const TABLES = TEXT + 0x10000n;
const SP = 0x203;

/** Address from the start of the text, and the offset from RSP; null where code without unwind data begins. */
type Row = readonly [at: number, offset: number | null];

/** 64 functions of 64 bytes that push once. */
const sound: Row[] = Array.from({ length: 64 }, (_, f): Row[] => [
  [f * 64, 8],
  [f * 64 + 1, 16],
]).flat();

function program(rows: readonly Row[]): ImageProgram {
  const ip = new ByteWriter();
  const orc = new ByteWriter();
  rows.forEach(([at, offset], i) => {
    ip.u32((at - 0x10000 - 4 * i) >>> 0);
    orc
      .u16(offset ?? 0)
      .u16(0)
      .u16(offset === null ? 0 : SP);
  });
  const start = TABLES + BigInt(ip.length);
  const segments = [
    { start: TEXT, bytes: new Uint8Array(0x1000), physical: 0n },
    { start: TABLES, bytes: ip.append(orc.bytes).bytes, physical: 0n },
  ];
  const source = new MemorySource(
    withSymbols({
      ...{ _stext: TEXT, _end: TABLES + 0x10000n },
      ...{ __start_orc_unwind_ip: TABLES, __stop_orc_unwind_ip: start, __start_orc_unwind: start },
    }),
    "vmlinux",
  );
  const { sections } = readSections(source);
  return new ImageProgram("vmlinux", { source, sections, segments, fileEnd: source.size, problems: [] }, null);
}

function withSymbols(places: Readonly<Record<string, bigint>>): Uint8Array {
  const names = new ByteWriter().u8(0);
  const symbols = new ByteWriter().append(symbolTable([]));
  for (const [name, at] of Object.entries(places)) {
    symbols.u32(names.length).u8(0x10, 0).u16(0xfff1).u64(at).u64(0);
    names.text(name);
  }
  return makeElfFile([
    { name: ".symtab", type: 2, link: 2, bytes: symbols.bytes },
    { name: ".strtab", type: 3, bytes: names.bytes },
  ]);
}

const aboutOrc = ({ problems }: Pick<Program, "problems">) => problems.filter((one) => one.includes("ORC"));

/** What a pass over all code reads of it, and what a single question gives. */
function told(from: Pick<Program, "orc">, length = 0x1000) {
  const run = new OrcRun();
  from.orc!.collect!(TEXT, TEXT + BigInt(length), run);
  const passed = Array.from({ length: run.count }, (_, i) => [run.address[i]! & 0xffffff, run.spOffset[i]]);
  const asked = Array.from({ length }, (_, at) => from.orc!.find(TEXT + BigInt(at))?.spOffset);
  return { passed, asked };
}

const reversed = sound.toReversed();
/** Two object files, each with code in two sections, of which the linker puts like to like; each ends with an entry without data. */
const linked: Row[] = [
  ...[...sound.slice(0, 32), [0x400, null] as Row],
  ...[...sound.slice(64, 96), [0xc00, null] as Row],
  ...[...sound.slice(32, 64), [0x800, null] as Row],
  ...[...sound.slice(96), [0x1000, null] as Row],
];

describe.each<[string, readonly Row[], string | null]>([
  ["in order", sound, null],
  ["object file behind object file", linked, "1 place"],
  ["backwards", reversed, "127 places"],
  ["one entry in the wrong place", [...sound.slice(0, 5), ...sound.slice(6), sound[5]!], "1 place"],
])("%s", (_what, rows, places) => {
  const kernel = program(rows);
  test("every address has its entry", () => expect(told(kernel).asked).toEqual(told(program(sound)).asked));
  test("what is amiss is told", () => {
    kernel.orc;
    expect(aboutOrc(kernel)).toEqual(
      places === null
        ? []
        : [
            `the kernel's ORC unwind tables are out of order in ${places}, as before Linux 5.6 or where they are damaged; they were sorted`,
          ],
    );
  });
});

describe("entries outside of the kernel", () => {
  const kernel = program([[-0x1000000, 8], ...sound, [0x3f000000, 24], [0x20004, 24]]);
  test("are left out, so that a module's code has none of them", () => {
    expect(told(kernel)).toEqual(told(program(sound)));
    expect(kernel.orc?.find(TEXT + 0x3f000000n)).toBeNull();
  });
  test("are told", () => {
    expect(aboutOrc(kernel)).toEqual([
      expect.stringMatching(/in 1 place, .*; they were sorted, and 3 entries outside of the kernel left out$/),
    ]);
  });
});

describe("with modules beside it", () => {
  const text = new Uint8Array(64);
  const module = (sizes: { ip: number; orc: number }) => {
    const sections = [
      { name: ".text", flags: CODE, bytes: text },
      { name: ".orc_unwind_ip", flags: CONSTANT, bytes: new Uint8Array(sizes.ip) },
      { name: ".orc_unwind", flags: CONSTANT, bytes: new Uint8Array(sizes.orc) },
    ];
    return { path: "one.ko", read: () => makeModule({ name: "one", sections, symbols: [] }) };
  };
  const both = (rows: readonly Row[], sizes: { ip: number; orc: number }) =>
    withModules(program(rows), [module(sizes)]);

  test("the kernel's are in order, too, and it is told", () => {
    const kernel = both(linked, { ip: 8, orc: 12 });
    expect(told(kernel).asked).toEqual(told(program(sound)).asked);
    expect(aboutOrc(kernel)).toEqual([expect.stringMatching(/out of order in 1 place/)]);
  });
  test("a kernel without any: it is told", () => {
    const kernel = both([], { ip: 8, orc: 12 });
    expect(kernel.orc).toBeNull();
    expect(aboutOrc(kernel)).toEqual([expect.stringMatching(/frames are told by its code alone/)]);
  });
  test.each([
    { ip: 8, orc: 11 },
    { ip: 8, orc: 18 },
    { ip: 7, orc: 6 },
  ])("a module's tables of $ip and $orc bytes do not fit each other", (sizes) => {
    const kernel = both(sound, sizes);
    expect(aboutOrc(kernel)).toEqual([
      "module one: its ORC unwind tables cannot be read: its frames are told by its code alone",
    ]);
  });
});
