import { gzipSync, strToU8 } from "fflate";
import { describe, expect, test } from "vitest";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import { parseKernelConfig } from "./config.ts";
import { kernelOptions } from "./kernel-options.ts";
import { FakeMemory, fakeSymbols } from "./memory.fixture.ts";
import { configuredOptions, noOptions, OPTION_NAMES, type OptionName } from "./option-state.ts";

const BASE = 0xffffffff81000000n;
const DATA = { init_task: BASE + 0x900000n, linux_banner: BASE + 0x800000n };

function symbolsOf(list: Readonly<Record<string, bigint>>): SymbolTable {
  const symbols = fakeSymbols(list);
  return {
    ...symbols,
    functionAt: (address) => ({ name: "f", module: null, start: address, end: address + 64n }),
  };
}

function optionsOf(list: readonly string[], options: { data?: boolean; code?: Uint8Array } = {}) {
  const symbols = Object.fromEntries(list.map((name, index) => [name, BASE + BigInt(index) * 0x100n]));
  const memory = new FakeMemory();
  if (options.code !== undefined) memory.map(BASE, options.code);
  return kernelOptions({
    memory,
    symbols: symbolsOf({ ...symbols, ...(options.data === false ? {} : DATA) }),
    vmcoreinfo: new Map(),
    release: "6.1.0",
  });
}

describe("options told by signs", () => {
  test.each<[OptionName, string, readonly string[], boolean]>([
    ["STACKPROTECTOR", "yes", ["schedule", "__stack_chk_fail"], true],
    ["STACKPROTECTOR", "no", ["schedule"], true],
    ["STACKPROTECTOR", "unknown", [], true],
    ["STACKPROTECTOR_STRONG", "unknown", ["schedule", "__stack_chk_fail"], true],
    ["VMAP_STACK", "yes", ["schedule", "free_vm_stack_cache"], false],
    ["VMAP_STACK", "yes", ["schedule", "cached_stacks"], true],
    ["VMAP_STACK", "no", ["schedule"], true],
    ["VMAP_STACK", "unknown", ["schedule"], false],
    ["KASAN", "yes", ["schedule", "kasan_report"], true],
    ["KASAN", "no", ["schedule"], false],
    ["KASAN_STACK", "no", ["schedule"], true],
    ["KASAN_STACK", "no", ["schedule", "kasan_report"], true],
    ["KASAN_STACK", "unknown", ["schedule", "kasan_report", "kasan_unpoison_task_stack"], true],
    ["FORTIFY_SOURCE", "unknown", ["schedule", "__fortify_panic"], true],
    ["FORTIFY_SOURCE", "no", ["schedule"], true],
    ["RANDOMIZE_KSTACK_OFFSET", "no", ["schedule"], true],
    ["RANDOMIZE_KSTACK_OFFSET", "unknown", ["schedule"], false],
    ["KALLSYMS_ALL", "no", ["schedule"], false],
    ["FRAME_WARN", "unknown", ["schedule"], true],
  ])("%s is %s with %j", (option, state, symbols, data) => {
    expect(optionsOf(symbols, { data }).state(option).state).toBe(state);
  });

  test("a comparison in __schedule shows the check of the stack's end", () => {
    const code = new Uint8Array(64).fill(0x90);
    expect(optionsOf(["__schedule"], { code }).state("SCHED_STACK_END_CHECK").state).toBe("no");
    code.set([0x9d, 0x81, 0x3b, 0x9d, 0x6e, 0xac, 0x57], 20);
    expect(optionsOf(["__schedule"], { code }).state("SCHED_STACK_END_CHECK")).toEqual({
      state: "yes",
      value: null,
      evidence: "__schedule compares with STACK_END_MAGIC at 0xffffffff81000017",
    });
    expect(optionsOf(["__schedule"]).state("SCHED_STACK_END_CHECK").state).toBe("unknown");
  });
});

const CONFIG = parseKernelConfig(`CONFIG_CC_STACKPROTECTOR=y
CONFIG_FRAME_WARN=2048
CONFIG_KASAN=y
CONFIG_KASAN_STACK=0
# CONFIG_VMAP_STACK is not set
`);

describe("options of a configuration", () => {
  const options = configuredOptions(CONFIG, "the file config-x");

  test.each([
    ["STACKPROTECTOR", { state: "yes", value: null, evidence: "CONFIG_CC_STACKPROTECTOR=y in the file config-x" }],
    ["FRAME_WARN", { state: "yes", value: "2048", evidence: "CONFIG_FRAME_WARN=2048 in the file config-x" }],
    ["KASAN_STACK", { state: "no", value: null, evidence: "CONFIG_KASAN_STACK=0 in the file config-x" }],
    ["VMAP_STACK", { state: "no", value: null, evidence: "CONFIG_VMAP_STACK is not set in the file config-x" }],
    ["STACK_TRACER", { state: "no", value: null, evidence: "no CONFIG_STACK_TRACER in the file config-x" }],
  ] as const)("%s", (option, state) => {
    expect(options.state(option)).toEqual(state);
  });

  const source = (list: Readonly<Record<string, bigint>>, memory = new FakeMemory()) => ({
    memory,
    symbols: symbolsOf({ ...DATA, ...list }),
    vmcoreinfo: new Map<string, string>(),
    release: "6.1.0",
  });

  test("a file goes before signs", () => {
    const given = kernelOptions(source({ schedule: BASE, free_vm_stack_cache: BASE }), { config: CONFIG, name: "f" });
    expect(given.state("VMAP_STACK").state).toBe("no");
  });

  test("the kernel's own goes before a file", () => {
    const memory = new FakeMemory();
    const text = Array.from(OPTION_NAMES, (name) => `CONFIG_${name}=y\n`).join("");
    memory.map(BASE, 4096);
    memory.write(BASE, new Uint8Array([...strToU8("IKCFG_ST"), ...gzipSync(strToU8(text)), ...strToU8("IKCFG_ED")]));
    const own = kernelOptions(source({ kernel_config_data: BASE }, memory), { config: CONFIG, name: "f" });
    expect(own.state("VMAP_STACK")).toEqual({
      state: "yes",
      value: null,
      evidence: "CONFIG_VMAP_STACK=y in the kernel's own configuration at 0xffffffff81000008",
    });
  });

  test("of a log nothing is known", () => {
    for (const option of OPTION_NAMES) expect(noOptions.state(option).state).toBe("unknown");
  });
});
