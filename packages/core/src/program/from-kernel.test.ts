import { expect, it } from "vitest";
import type { Kernel } from "../kernel/kernel.ts";
import { FakeMemory, fakeSymbols } from "../kernel/memory.fixture.ts";
import type { KernelModule } from "../symbols/symbol-table.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import { programFromKernel } from "./from-kernel.ts";

const IMAGE = 0xffffffff81000000n;
const MODULE = 0xffffffffc0400000n;
const PER_CPU = 0xffff888000200000n;

const LAYOUT = {
  _stext: IMAGE,
  _etext: IMAGE + 0x1ef2n,
  _sinittext: IMAGE + 0x9000n,
  _einittext: IMAGE + 0xa000n,
  __start_rodata: IMAGE + 0x2000n,
  __end_rodata: IMAGE + 0x3000n,
  _sdata: IMAGE + 0x3000n,
  _edata: IMAGE + 0x4000n,
  __bss_start: IMAGE + 0x5000n,
  __bss_stop: IMAGE + 0x6000n,
};

const module: KernelModule = {
  name: "vandal",
  address: MODULE + 0x2100n,
  size: 0x3000,
  base: MODULE,
  state: "coming",
  taints: "",
  areas: [
    { start: MODULE + 0x2000n, size: 0x1000, text: false },
    { start: MODULE, size: 0x2000, text: true },
    { start: MODULE + 0x8000n, size: 0x1000, text: true, init: true },
  ],
};

function program(symbols: Readonly<Record<string, bigint>>) {
  const kernel = {
    memory: new FakeMemory(),
    symbols: fakeSymbols(symbols, [module]),
    types: EmptyTypes,
    orc: null,
    release: "6.1.0-test",
    threadSize: 16384,
    cpus: [],
    perCpu: (name: string) => (name === "__per_cpu_start" ? PER_CPU : PER_CPU + 0x34000n),
    problems: ["something from before"],
  };
  return programFromKernel(kernel as unknown as Kernel);
}

const rows = (
  areas: readonly { start: bigint; end: bigint; module: string | null; section: string; init: boolean }[],
) => areas.map(({ start, end, module, section, init }) => [start, end, module, section, init]);

it("has the code that can still run, by address", () => {
  expect(rows(program(LAYOUT).text)).toEqual([
    [IMAGE, IMAGE + 0x1ef2n, null, ".text", false],
    [MODULE, MODULE + 0x2000n, "vandal", ".text", false],
    [MODULE + 0x8000n, MODULE + 0x9000n, "vandal", ".text", true],
  ]);
});

it("has all data as it was, the first CPU's for the per-CPU part", () => {
  expect(rows(program(LAYOUT).data)).toEqual([
    [PER_CPU, PER_CPU + 0x34000n, null, ".data..percpu", false],
    [IMAGE + 0x2000n, IMAGE + 0x3000n, null, ".rodata", false],
    [IMAGE + 0x3000n, IMAGE + 0x4000n, null, ".data", false],
    [IMAGE + 0x5000n, IMAGE + 0x6000n, null, ".bss", false],
    [MODULE + 0x2000n, MODULE + 0x3000n, "vandal", ".data", false],
  ]);
});

it("says what is not known, and hands on what was not known before", () => {
  const bare = program({ _stext: IMAGE, _etext: IMAGE - 1n });
  expect([bare.text.length, bare.data.length]).toEqual([2, 2]);
  expect(bare.problems).toEqual([
    "something from before",
    "where the kernel's code begins and ends is not known",
    "where the kernel's data begins and ends is not known",
  ]);
});

it("asks each module for its types once, and takes the kernel's where it has none", () => {
  const { types, moduleTypes } = program(LAYOUT);
  expect(types).toBe(EmptyTypes);
  expect(moduleTypes.call(program(LAYOUT), "vandal")).toBe(EmptyTypes);
});
