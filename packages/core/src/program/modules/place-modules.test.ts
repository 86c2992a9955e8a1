import fc from "fast-check";
import { gzipSync, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { bytesOf } from "../../debuginfo/testing/byte-writer.ts";
import { fakeSymbols } from "../../kernel/memory.fixture.ts";
import { CODE, CONSTANT, DATA, type MadeModule, makeModule } from "../testing/make-module.ts";
import { placeModules } from "./place-modules.ts";

const SPACE = 0xffffffffc0000000n;
const PRINTK = 0xffffffff81123450n;
const nothing = (length: number) => new Uint8Array(length).fill(0xcc);

/** Type numbers of the x86-64 psABI. */
const R = { none: 0, abs64: 1, pc32: 2, plt32: 4, gotpcrel: 9, abs32: 10, abs32s: 11, pc64: 24 };

function place(modules: readonly (MadeModule | Uint8Array)[], loaded: Parameters<typeof fakeSymbols>[1] = []) {
  const problems: string[] = [];
  const placed = placeModules(
    modules.map((one, i) => ({ path: `m${i}.ko`, read: () => (one instanceof Uint8Array ? one : makeModule(one)) })),
    { symbols: fakeSymbols({ _printk: PRINTK }, loaded), problem: (text) => problems.push(text) },
  );
  return { ...placed, problems };
}

const words = (bytes: Uint8Array) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { i32: (at: number) => view.getInt32(at, true), u64: (at: number) => view.getBigUint64(at, true) };
};

describe("a module's parts", () => {
  const { modules, problems } = place([
    {
      name: "parts",
      sections: [
        { name: ".init.text", flags: CODE, bytes: nothing(16) },
        { name: ".data", flags: DATA, bytes: nothing(8) },
        { name: ".text", flags: CODE, bytes: nothing(100) },
        { name: ".rodata", flags: CONSTANT, bytes: nothing(4) },
        { name: ".text.unlikely", flags: CODE, bytes: nothing(20) },
        { name: ".init.data", flags: DATA, bytes: nothing(8) },
        { name: ".BTF", flags: 0, bytes: nothing(8) },
      ],
      symbols: [],
    },
    { name: "second", sections: [{ name: ".text", flags: CODE, bytes: nothing(1) }], symbols: [] },
  ]);

  test("lie in the loader's order, each on pages of its own; a page is free behind the module", () => {
    const rows = modules.flatMap(({ layout }) =>
      layout.areas.map(({ start, end, section, module, init }) => [start - SPACE, end - SPACE, section, module, init]),
    );
    expect(rows).toEqual([
      [0n, 120n, ".text", "parts", false],
      [0x1000n, 0x1004n, ".rodata", "parts", false],
      [0x2000n, 0x2008n, ".data", "parts", false],
      [0x3000n, 0x3010n, ".init.text", "parts", true],
      [0x4000n, 0x4008n, ".init.data", "parts", true],
      [0x6000n, 0x6001n, ".text", "second", false],
    ]);
    expect(modules[0]?.btf).toEqual(nothing(8));
    expect(problems).toEqual([]);
  });
});

describe("relocations", () => {
  const user: MadeModule = {
    name: "user",
    sections: [
      { name: ".text", flags: CODE, bytes: nothing(64) },
      { name: ".data", flags: DATA, bytes: nothing(32) },
      { name: "__mcount_loc", flags: CONSTANT, bytes: nothing(8) },
    ],
    symbols: [
      { name: "own", section: 1, value: 0x10, bind: "global", size: 4 },
      { name: "_printk", section: 0, bind: "global" },
      { name: "helper", section: 0, bind: "global" },
      { name: "maybe", section: 0, bind: "weak" },
    ],
    relocations: {
      1: [
        [0, R.plt32, 2, -4],
        [4, R.pc32, 3, -4],
        [8, R.abs32s, 1, 1],
        [12, R.pc64, 1, 0],
        [20, R.none, 1, 0],
        [24, R.abs32, 1, 0],
        [28, R.plt32, 4, -4],
      ],
      2: [[8, R.abs64, 3, 2]],
      3: [[0, R.abs64, 1, 0]],
    },
  };
  const provider: MadeModule = {
    name: "provider",
    sections: [{ name: ".text", flags: CODE, bytes: nothing(64) }],
    symbols: [
      { name: "helper", section: 1, value: 0x20, bind: "global" },
      { name: "hidden", section: 1, value: 0x30, bind: "global" },
      { name: "__ksymtab_helper", section: 1, value: 0 },
    ],
  };

  test.each<[string, readonly MadeModule[], number]>([
    ["the provider first", [provider, user], 1],
    ["the user first", [user, provider], 0],
  ])("of all kinds against itself, the kernel and another module: %s", (_what, order, at) => {
    const { modules, problems, relocations } = place(order);
    const base = modules[at]!.layout.module.base;
    const helper = modules[1 - at]!.layout.module.base + 0x20n;
    const { i32, u64 } = words(modules[at]!.layout.bytes);
    const target = (offset: number) => base + BigInt(offset) + 4n + BigInt(i32(offset));
    expect(target(0)).toBe(PRINTK);
    expect(target(4)).toBe(helper);
    expect(BigInt.asUintN(64, BigInt(i32(8)))).toBe(base + 0x11n);
    expect(BigInt.asUintN(64, base + 12n + u64(12))).toBe(base + 0x10n);
    expect(i32(20)).toBe(0xcccccccc | 0);
    expect(BigInt.asUintN(64, BigInt(i32(24)))).toBe(base + 0x10n);
    // What is weak and nowhere leads to 0.
    expect(BigInt.asUintN(64, target(28))).toBe(0n);
    expect(u64(0x2008)).toBe(helper + 2n);
    // The table of places that may be traced is filled in, but tells of no address that is taken.
    expect(u64(0x1000)).toBe(base + 0x10n);
    expect(relocations.length).toBe(3);
    expect(problems).toEqual([]);
  });

  test("what is not exported is not found; the call leads to 0 and a line says so", () => {
    const shy = { ...provider, symbols: provider.symbols.slice(0, 2) };
    const { modules, problems } = place([user, shy]);
    const base = modules[0]!.layout.module.base;
    expect(BigInt.asUintN(64, base + 8n + BigInt(words(modules[0]!.layout.bytes).i32(4)))).toBe(0n);
    expect(problems).toEqual(["module user: nothing defines helper"]);
  });

  test("that no module has, or that lead outside, are counted", () => {
    const relocations = {
      1: [[0, R.gotpcrel, 1, 0] as const, [62, R.abs32, 1, 0] as const, [0, R.abs32, 9, 0] as const],
    };
    expect(place([{ ...user, relocations }]).problems).toEqual(["module user: 3 relocations cannot be applied"]);
  });

  test("symbols have their final addresses", () => {
    const [placed] = place([user]).modules;
    expect(placed?.symbols.count).toBe(1);
    expect([placed?.symbols.name(0), placed?.symbols.sizes[0]]).toEqual(["own", 4]);
    expect(BigInt.asUintN(64, BigInt(placed?.symbols.addresses[0] as number))).toBe(SPACE + 0x10n);
  });
});

test("ORC tables are sorted, the entry with data behind the one without", () => {
  const ip = bytesOf((out) =>
    out
      .u32(0x20)
      .u32(0x10 - 4)
      .u32(0x10 - 8),
  );
  const orc = bytesOf((out) => out.u16(1).u16(0).u16(0x15).u16(2).u16(0).u16(0x15).u16(3).u16(0).u16(0));
  const [placed] = place([
    {
      name: "orc",
      sections: [
        { name: ".text", flags: CODE, bytes: nothing(64) },
        { name: ".orc_unwind_ip", flags: CONSTANT, bytes: ip },
        { name: ".orc_unwind", flags: CONSTANT, bytes: orc },
      ],
      symbols: [],
    },
  ]).modules;
  expect(placed?.orc).toEqual({ ip: SPACE + 0x1000n, orc: SPACE + 0x100cn, count: 3 });
  const { i32 } = words(placed!.layout.bytes);
  expect([i32(0x1000), i32(0x1004) + 4, i32(0x1008) + 8]).toEqual([0x10, 0x10, 0x20]);
  expect([0, 6, 12].map((at) => placed!.layout.bytes[0x100c + at])).toEqual([3, 2, 1]);
});

describe("which modules", () => {
  const one: MadeModule = { name: "one", sections: [{ name: ".text", flags: CODE, bytes: nothing(8) }], symbols: [] };
  const loaded = {
    name: "one",
    address: SPACE,
    size: 0x1000,
    base: SPACE,
    state: "live",
    taints: "",
    areas: [{ start: SPACE + 0x10000n, size: 0x1234, text: true }],
  } as const;

  test("of one name the first", () => {
    expect(place([one, { ...one, sections: [] }]).modules.length).toBe(1);
  });

  test("not those that are loaded; the others behind these", () => {
    const { modules } = place([one, { ...one, name: "two" }], [loaded]);
    expect(modules.map(({ layout }) => [layout.module.name, layout.module.base])).toEqual([["two", SPACE + 0x13000n]]);
  });

  test("packed ones, too", () => {
    expect(place([gzipSync(makeModule(one))]).modules.length).toBe(1);
  });

  test.each<[string, Uint8Array, string]>([
    ["text", bytesOf((out) => out.text("hello")), "m0.ko: left out: not a 64-bit little-endian ELF file"],
    [
      "cut short",
      makeModule(one).subarray(0, 200),
      "m0.ko: left out: the ELF file is damaged: it has no section headers",
    ],
    ["an archive", zipSync({ a: nothing(3) }), "m0.ko: left out: not a 64-bit little-endian ELF file"],
    [
      "packed and cut short",
      gzipSync(makeModule(one)).subarray(0, 40),
      "m0.ko: left out: packed with gzip, and damaged or larger than any module (gzip: damaged, or larger than it may be)",
    ],
    ["nothing", new Uint8Array(0), "m0.ko: left out: not a 64-bit little-endian ELF file"],
  ])("%s is left out with a line of why, and the next goes on", (_what, bytes, line) => {
    const { modules, problems } = place([bytes, one]);
    expect(problems).toEqual([line]);
    expect(modules.length).toBe(1);
  });

  test("a damaged module never stops the others", () => {
    const good = makeModule({ ...one, symbols: [{ name: "f", section: 1 }], relocations: { 1: [[0, R.abs64, 1, 0]] } });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const damaged = good.slice();
          for (const [at, byte] of changes) damaged[at] = byte;
          const { modules } = place([damaged, { ...one, name: "other" }]);
          expect(modules.at(-1)?.layout.module.name).toBe("other");
        },
      ),
      { numRuns: 300 },
    );
  });
});
