/** Kernels as files against the same kernels as they ran: what is unpacked, placed and relocated is what was in memory. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { disassemble, type Program } from "@spillway/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openProgramFile } from "../../cli/src/io/open-program.ts";
import { ensureLab, type LabTarget } from "../src/ensure-lab.ts";
import { KERNEL_SERIES, type KernelSeries, resolveVariant } from "../src/lab-options.ts";
import { runScenario } from "../src/run-scenario.ts";

let targets: ReadonlyMap<KernelSeries, LabTarget>;
let folder: string;

beforeAll(async () => {
  targets = await ensureLab(KERNEL_SERIES, ["qemu-elf"]);
  folder = await mkdtemp(join(tmpdir(), "spillway-program-test-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Where symbols of the kernel lie when it is not moved; per-CPU ones are small numbers and never moved. */
function kernelSymbols(program: Program): string[] {
  const moved = program.symbols.byName("_stext", null)!.address - 0xffffffff81000000n;
  const found: string[] = [];
  for (const { name, address, module } of program.symbols.all()) {
    if (module !== null) break;
    found.push(`${(address < 0x100000n ? address : address - moved).toString(16)} ${name}`);
  }
  return found.sort();
}

interface Line {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** A function with every address as symbol and offset, or as where it is in its page: pages are placed as wholes. */
function linesOf(program: Program, start: bigint, length: number): Line[] {
  const named = (address: bigint) => {
    const at = program.symbols.byAddress(address);
    return at === null ? `page+0x${(address & 0xfffn).toString(16)}` : `${at.symbol.name}+${at.offset}`;
  };
  return disassemble(program.memory.read(start, length)!, start).map(({ address, bytes, text }) => ({
    offset: Number(address - start),
    length: bytes.length,
    text: text
      .replace(/0x[0-9a-f]{16}(?: <.*>)?/g, (target) => named(BigInt(target.split(" ")[0]!)))
      // An absolute address of 32 bits, sign-extended, beside an index.
      .replace(/-0x([0-9a-f]{7,8})(?=\(,)/, (_, digits) => named((1n << 64n) - BigInt(`0x${digits}`)))
      // The comment behind it says what is meant.
      .replace(/-?0x[0-9a-f]+\(%rip\)/, "(%rip)"),
  }));
}

/** What the kernel changes in a module's code when it loads it on the machine of these tests, by what stood there before. */
const PATCHED: readonly (readonly [RegExp, RegExp])[] = [
  // ftrace: nothing is traced.
  [/^call +__fentry__\+0$/, /^nopl /],
  // Return thunks, where the processor needs none: ret, and int3 behind it.
  [/^jmp +__x86_return_thunk\+0$/, /^ret *$/],
  // Static calls: nothing, or what they are set to, without the trampoline.
  [/^call +__SCT__\w+\+0$/, /^(nopl |call +\w+\+0$)/],
  [/^jmp +__SCT__\w+\+0$/, /^(ret *$|jmp +\w+\+0$)/],
  // Landing pads of functions that nothing calls indirectly (IBT seals them).
  [/^endbr64 *$/, /^nop/],
  // Paravirtual operations: the instruction itself.
  [/^callq? +\*\(%rip\) .*pv_ops\+\d+$/, /^(pushf|popf|cli|sti) *$/],
  // Retpolines likewise: an indirect call or jump through the register.
  [/^(call|jmp) +__x86_indirect_thunk_\w+\+0$/, /^(call|jmp) +\*%\w+$/],
];

describe.each([...KERNEL_SERIES])("%s", (series) => {
  let file: Program;
  let dump: Program;

  beforeAll(async () => {
    const { kernel, module } = targets.get(series)!;
    const variant = resolveVariant({ kernel: series, capture: "qemu-elf" });
    await runScenario({ scenario: "overrun-long", variant, folder: join(folder, series), targets });
    dump = openProgramFile(join(folder, series, "vmcore"));
    file = openProgramFile(kernel.image, { modules: [kernel.modules, dirname(module)] });
  });

  test("the symbols of the vmlinuz are those of the dump", () => {
    const wanted = kernelSymbols(dump);
    expect(wanted.length).toBeGreaterThan(50_000);
    expect(kernelSymbols(file)).toEqual(wanted);
    expect(file.release).toBe(dump.release);
    expect(file.threadSize).toBe(dump.threadSize);
    expect(file.orc?.layout).toBe(dump.orc?.layout);
  });

  test("every relocation and alternative is understood, and no module is left out", () => {
    expect(file.problems).toEqual([]);
    expect(file.symbols.modules.length).toBeGreaterThan(1000);
    expect(file.relocations?.count).toBeGreaterThan(300_000);
    expect(file.alternatives.length).toBeGreaterThan(4000);
  });

  test("placed modules have the code of the loaded ones, but for what the kernel patches", () => {
    const differences: string[] = [];
    let functions = 0;
    for (const { name: module } of dump.symbols.modules) {
      for (const symbol of file.symbols.all()) {
        const range = symbol.module === module ? file.symbols.functionAt(symbol.address) : null;
        const loaded = range === null ? null : dump.symbols.byName(symbol.name, module);
        if (range === null || loaded === null || range.start !== symbol.address || range.name !== symbol.name) continue;
        functions++;
        const length = Number(range.end - range.start);
        const there = new Map(linesOf(dump, loaded.address, length).map((line) => [line.offset, line]));
        for (const { offset, text } of linesOf(file, range.start, length)) {
          const other = there.get(offset)?.text ?? "(inside another instruction)";
          if (other === text || PATCHED.some(([before, after]) => before.test(text) && after.test(other))) continue;
          differences.push(`${module} ${range.name}+${offset}: ${text} | ${other}`);
        }
      }
    }
    expect(functions).toBeGreaterThan(60);
    expect(differences).toEqual([]);
  });

  test("modules' ORC, placed and loaded, say the same", () => {
    let compared = 0;
    for (const symbol of file.symbols.all()) {
      if (symbol.module !== "qemu_fw_cfg") continue;
      const range = file.symbols.functionAt(symbol.address);
      const loaded = dump.symbols.byName(symbol.name, symbol.module);
      if (range === null || loaded === null || range.start !== symbol.address) continue;
      for (let pc = range.start; pc < range.end; pc++) {
        const ours = file.orc!.find(pc);
        const theirs = dump.orc!.find(loaded.address + (pc - range.start));
        expect({ ...ours, address: 0n }).toEqual({ ...theirs, address: 0n });
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(1000);
  });
});
