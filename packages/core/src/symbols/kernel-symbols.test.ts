import { describe, expect, it } from "vitest";
import { openSymbols } from "./kernel-symbols.ts";
import { fakeKernel } from "./testing/fake-kernel-image.ts";
import type { PlainSymbol } from "./testing/kallsyms-encoder.ts";

/** Offsets from the start of the text. */
const LAYOUT: readonly [number, string, string][] = [
  [0x0, "T", "_stext"],
  [0x0, "T", "_text"],
  [0x0, "T", "startup_64"],
  [0x100, "t", "__do_sys_getpid"],
  [0x100, "T", "__ia32_sys_getpid"],
  [0x140, "T", "__pfx_schedule"],
  [0x150, "T", "schedule"],
  [0x200, "W", "weak_alias"],
  [0x200, "t", "strong_name"],
  [0x280, "d", "data_in_text"],
  [0x290, "t", "same"],
  [0x2a0, "T", "same"],
  [0x2c0, "T", "__unwind_start"],
  [0x300, "t", "schedule.cold"],
  [0x380, "T", "__sched_text_end"],
  [0x380, "t", "after_the_section"],
  [0x3c0, "T", "__static_call_text_end"],
  [0x400, "T", "_etext"],
  [0x200000, "r", "some_rodata"],
  [0x400000, "D", "init_task"],
  [0x500000, "T", "_sinittext"],
  [0x500000, "t", "set_up"],
  [0x500800, "T", "_einittext"],
  [0x600000, "B", "_end"],
];

const symbolsAt = (text: bigint): PlainSymbol[] => [
  { name: "fixed_percpu_data", type: "A", address: 0n },
  { name: "same", type: "A", address: 0x100n },
  ...LAYOUT.map(([offset, type, name]) => ({ name, type, address: text + BigInt(offset) })),
];

const kernel = fakeKernel(symbolsAt);
const symbols = openSymbols(kernel.space, kernel.vmcoreinfo, null);
const at = (offset: number) => kernel.text + BigInt(offset);

describe("functionAt", () => {
  it.each<[number, [string, number, number] | null]>([
    [0x0, ["startup_64", 0x0, 0x100]],
    [0xff, ["startup_64", 0x0, 0x100]],
    // Of aliases the first in the table, as the kernel's own traces have it.
    [0x100, ["__do_sys_getpid", 0x100, 0x140]],
    [0x14f, ["__pfx_schedule", 0x140, 0x150]],
    [0x150, ["schedule", 0x150, 0x200]],
    [0x210, ["strong_name", 0x200, 0x290]],
    [0x284, ["strong_name", 0x200, 0x290]],
    [0x310, ["schedule.cold", 0x300, 0x380]],
    [0x380, ["after_the_section", 0x380, 0x3c0]],
    // Padding behind a section.
    [0x3d0, null],
    [0x400, null],
    [-1, null],
    [0x200000, null],
    [0x400000, null],
    [0x500000, ["set_up", 0x500000, 0x500800]],
    [0x500800, null],
  ])("text + %i", (offset, wanted) => {
    const found = symbols.functionAt(at(offset));
    const range = wanted && { name: wanted[0], module: null, start: at(wanted[1]), end: at(wanted[2]) };
    expect(found).toEqual(range);
  });
});

describe("isText", () => {
  it.each([
    [-1, false],
    [0, true],
    [0x280, true],
    [0x3ff, true],
    [0x400, false],
    [0x400000, false],
    [0x500000, true],
    [0x500800, false],
  ])("text + %i: %s", (offset, text) => {
    expect(symbols.isText(at(offset))).toBe(text);
  });
  it.each([0n, 0x100n, 0x7fff12345678n, 0xffff888000000000n, 0xffffffffffffffffn])("%s: false", (address) => {
    expect(symbols.isText(address)).toBe(false);
    expect(symbols.byAddress(address)).toBeNull();
    expect(symbols.functionAt(address)).toBeNull();
  });
});

it("takes a function for one that is called like a mark of the linker script", () => {
  expect(symbols.functionAt(at(0x2c4))).toMatchObject({ name: "__unwind_start", end: at(0x300) });
  expect(symbols.byAddress(at(0x2c4))).toMatchObject({ symbol: { name: "__unwind_start" }, offset: 4 });
});

describe("byAddress", () => {
  it.each<[number, string | null, number]>([
    [0x154, "schedule", 4],
    [0x288, "data_in_text", 8],
    [0x3bf, "after_the_section", 0x3f],
    [0x3c0, "__static_call_text_end", 0],
    [0x3c1, null, 0],
    [0x400, "_etext", 0],
    [0x400010, "init_task", 0x10],
    [0x5fffff, "_einittext", 0xff7ff],
    [0x600000, null, 0],
    [-1, null, 0],
  ])("text + %i", (offset, name, within) => {
    const found = symbols.byAddress(at(offset));
    expect(found && [found.symbol.name, found.offset]).toEqual(name === null ? null : [name, within]);
  });
});

describe("byName", () => {
  it.each<[string, bigint | null, string]>([
    ["init_task", at(0x400000), "D"],
    ["fixed_percpu_data", 0n, "A"],
    // A global name before a local one, whatever their order.
    ["same", 0x100n, "A"],
    ["strong_name", at(0x200), "t"],
    ["nothing", null, ""],
    ["", null, ""],
  ])("%s", (name, address, type) => {
    const found = symbols.byName(name);
    expect(found && [found.address, found.type]).toEqual(address === null ? null : [address, type]);
  });

  it("gives all of a name", () => {
    expect(symbols.allByName("same").map((symbol) => symbol.address)).toEqual([0x100n, at(0x290), at(0x2a0)]);
    expect(symbols.allByName("nothing")).toEqual([]);
  });
});

it("lists all symbols as they stand", () => {
  expect([...symbols.all()].map(({ name, type, address }) => ({ name, type, address }))).toEqual(
    symbolsAt(kernel.text),
  );
});

it("without kallsyms knows nothing and says so", () => {
  const empty = openSymbols(kernel.space, new Map(), null, { kallsyms: null });
  expect(empty.kallsyms).toBeNull();
  expect([empty.byName("_stext"), empty.functionAt(at(0)), empty.isText(at(0)), [...empty.all()]]).toEqual([
    null,
    null,
    false,
    [],
  ]);
  expect(empty.modules).toEqual([]);
  expect(empty.problems).toEqual(["kallsyms was not found in the dump, so kernel addresses have no names"]);
});
