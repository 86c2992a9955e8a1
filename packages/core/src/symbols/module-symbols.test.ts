import { describe, expect, it } from "vitest";
import { bytesOf64 } from "../memory/testing/fake-machine.ts";
import { openSymbols } from "./kernel-symbols.ts";
import {
  type FakeModule,
  kernelWithModules,
  type ModuleLayout,
  moduleBase,
  moduleTypes,
} from "./testing/fake-modules.ts";

const VANDAL: FakeModule = {
  name: "vandal",
  taints: (1n << 12n) | (1n << 13n),
  symbols: [
    { name: "parse_packet", offset: 0x100, size: 0x80, letter: "t" },
    { name: "__pfx_parse_packet", offset: 0xf0, size: 0x10, letter: "t" },
    { name: "exported", offset: 0x200, size: 0x40, letter: "T", global: true },
    { name: "alias_of_exported", offset: 0x200, size: 0x40, letter: "t" },
    { name: "from_assembly", offset: 0x280, size: 0, letter: "t" },
    { name: "last", offset: 0x2c0, size: 0x40, letter: "t" },
    { name: "state", offset: 0x1010, size: 8, letter: "d" },
    { name: "set_up", offset: 0x8000, size: 0x30, letter: "t" },
    { name: "printk", offset: 0x100, size: 0, letter: "U", section: 0 },
    { name: "__crc_exported", offset: 0x100, size: 0, letter: "A", section: 0xfff1 },
    { name: ".LC0", offset: 0x110, size: 0, letter: "t" },
    { name: "$x", offset: 0x120, size: 0, letter: "t" },
    { name: "", offset: 0x130, size: 0, letter: "t" },
  ],
};
const SECOND: FakeModule = {
  name: "second",
  state: 1,
  symbols: [
    { name: "parse_packet", offset: 0x40, size: 0x20, letter: "T", global: true },
    { name: "f7", offset: 0x80, size: 0x20, letter: "t" },
  ],
};

const open = (layout: ModuleLayout, modules = [VANDAL, SECOND]) => {
  const kernel = kernelWithModules(modules, layout);
  return { kernel, symbols: openSymbols(kernel.space, kernel.vmcoreinfo, () => moduleTypes(layout)) };
};
const at = (index: number, offset: number) => moduleBase(index) + BigInt(offset);

describe.each<[ModuleLayout]>([["6.4"], ["5.2"], ["5.0"], ["4.5"], ["3.10"]])("struct module of %s", (layout) => {
  const { symbols } = open(layout);
  /** 5.0 and 5.1 wrote the type letter over the size. */
  const sizes = layout !== "5.0";

  it("lists the modules", () => {
    const [vandal, second] = symbols.modules;
    expect(symbols.modules.length).toBe(2);
    expect(vandal).toMatchObject({ name: "vandal", state: "live", taints: "OE", size: 0x2000, base: at(0, 0) });
    expect(second).toMatchObject({ name: "second", state: "coming", taints: "", base: at(1, 0) });
    const areas = vandal?.areas.map((area) => [area.start, area.size, area.text]);
    expect(areas).toEqual([
      [at(0, 0), 0x1000, true],
      [at(0, 0x1000), 0x1000, false],
      [at(0, 0x8000), 0x1000, true],
    ]);
  });

  it("keeps the symbols that name something, by address", () => {
    const names = [...symbols.all()].filter((symbol) => symbol.module === "vandal").map((symbol) => symbol.name);
    expect(names).toEqual([
      "__pfx_parse_packet",
      "parse_packet",
      "exported",
      "alias_of_exported",
      "from_assembly",
      "last",
      "state",
      "set_up",
    ]);
  });

  it.each<[number, [string, number, number] | null]>([
    [0xf8, ["__pfx_parse_packet", 0xf0, 0x100]],
    [0x100, ["parse_packet", 0x100, sizes ? 0x180 : 0x200]],
    [0x17f, ["parse_packet", 0x100, sizes ? 0x180 : 0x200]],
    [0x180, sizes ? null : ["parse_packet", 0x100, 0x200]],
    [0x210, ["exported", 0x200, sizes ? 0x240 : 0x280]],
    [0x2b0, ["from_assembly", 0x280, 0x2c0]],
    [0x2ff, ["last", 0x2c0, sizes ? 0x300 : 0x1000]],
    [0x8010, ["set_up", 0x8000, sizes ? 0x8030 : 0x9000]],
    [0x1010, null],
    [0x10, null],
  ])("function at %i", (offset, wanted) => {
    const range = wanted && { name: wanted[0], module: "vandal", start: at(0, wanted[1]), end: at(0, wanted[2]) };
    expect(symbols.functionAt(at(0, offset))).toEqual(range);
  });

  it.each<[bigint, boolean]>([
    [at(0, 0), true],
    [at(0, 0xfff), true],
    [at(0, 0x1000), false],
    [at(0, 0x8fff), true],
    [at(0, 0x9000), false],
    [at(1, 0x40), true],
    [at(2, 0), false],
  ])("text at %s: %s", (address, text) => {
    expect(symbols.isText(address)).toBe(text);
  });

  it("finds names, the kernel's first, then by module", () => {
    expect(symbols.byName("state")).toEqual({ name: "state", address: at(0, 0x1010), type: "d", module: "vandal" });
    expect(symbols.byName("parse_packet")?.address).toBe(at(0, 0x100));
    expect(symbols.byName("parse_packet", "second")?.address).toBe(at(1, 0x40));
    expect(symbols.byName("parse_packet", "third")).toBeNull();
    expect(symbols.byName("exported")?.type).toBe("T");
    expect(symbols.byName("state", null)).toBeNull();
    expect(symbols.allByName("parse_packet").map((symbol) => symbol.module)).toEqual(["vandal", "second"]);
    expect(symbols.byAddress(at(0, 0x1014))).toEqual({ symbol: symbols.byName("state"), offset: 4 });
    expect(symbols.byAddress(at(0, 0x1004))).toBeNull();
  });
});

describe("a module list that is", () => {
  it("circular without the head ends", () => {
    const { kernel, symbols } = open("6.4");
    kernel.memory.write64(0x8000000 + 0x10000 + 0x2008, moduleBase(0) + 0x2008n);
    expect(symbols.modules.map((module) => module.name)).toEqual(["vandal", "second"]);
    expect(symbols.problems).toEqual(["the list of modules ends unreadably after 2"]);
  });

  it("broken keeps what came before", () => {
    const { kernel, symbols } = open("6.4");
    kernel.memory.write64(0x8000000 + 0x2008, 0xffffffffdead0000n);
    expect(symbols.modules.map((module) => module.name)).toEqual(["vandal"]);
    expect(symbols.problems.length).toBe(1);
  });

  it("empty is no problem", () => {
    const { symbols } = open("6.4", []);
    expect([symbols.modules, symbols.problems]).toEqual([[], []]);
  });

  it("of unknown layout is one", () => {
    const kernel = kernelWithModules([VANDAL], "6.4");
    const symbols = openSymbols(kernel.space, kernel.vmcoreinfo, null);
    expect(symbols.modules).toEqual([]);
    expect(symbols.problems).toEqual(["no type information, so the loaded modules are not known"]);
    expect(symbols.isText(at(0, 0x100))).toBe(false);
  });
});

it("reads as many symbols as there are, and no more memory than that", () => {
  const { kernel, symbols } = open("6.4");
  // num_symtab gone wild: the table ends with the memory behind it.
  kernel.memory.write(0x8000000 + 0x2110, bytesOf64(0xffffffffn).subarray(0, 4));
  expect(symbols.byName("parse_packet", "vandal")?.address).toBe(at(0, 0x100));
  expect(symbols.problems[0]).toMatch(/symbols of module vandal are missing/);
});
