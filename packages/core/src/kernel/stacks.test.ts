import { describe, expect, it } from "vitest";
import { fakeContext, fakeNote } from "./context.fixture.ts";
import { matchNotes } from "./cpu-notes.ts";
import { cpuStacks } from "./cpu-stacks.ts";
import type { KernelCpu } from "./cpus.ts";
import type { StackRange } from "./kernel.ts";
import { FakeMemory } from "./memory.fixture.ts";
import { PerCpu } from "./percpu.ts";
import { referenceCanary } from "./reference-canary.ts";
import { Stacks } from "./stacks.ts";
import { TaskReader } from "./tasks.ts";
import { threadSize } from "./thread-size.ts";

const IMAGE = 0xffffffff82000000n;
const PERCPU = 0xffff88800f800000n;
const AREA = 0xfffffe0000000000n;
const IRQ = 0xffffc90000000000n;

/** A per-CPU variable at an offset; every symbol below 64 KiB is one. */
function machine(variables: Readonly<Record<string, readonly [number, bigint]>>) {
  const memory = new FakeMemory();
  memory.map(IMAGE, 0x1000);
  memory.write64(IMAGE, PERCPU);
  memory.map(PERCPU, 0x10000);
  const symbols: Record<string, bigint> = { __per_cpu_offset: IMAGE };
  for (const [name, [offset, value]] of Object.entries(variables)) {
    symbols[name] = BigInt(offset);
    memory.write64(PERCPU + BigInt(offset), value);
  }
  const context = fakeContext({ memory, symbols });
  return { memory, context, perCpu: new PerCpu(context) };
}

const brief = (stacks: readonly StackRange[]) =>
  stacks.map((s) => `${s.kind}${s.name && ` ${s.name}`} ${(s.high - s.low) / 1024n}K guard ${s.guardBelow}`);

describe("cpuStacks", () => {
  it.each([
    ["hardirq_stack_ptr at the end less a word (5.12 to 6.1)", "hardirq_stack_ptr", 0, IRQ + 0x4000n - 8n],
    ["irq_stack_ptr at the end less 64 bytes (before 5.2)", "irq_stack_ptr", 0, IRQ + 0x4000n - 64n],
    ["irq_stack_ptr at the very end", "irq_stack_ptr", 0, IRQ + 0x4000n],
  ])("finds the hardirq stack by %s", (_what, name, delta, pointer) => {
    const { memory, context, perCpu } = machine({ [name]: [0x100 + delta, pointer] });
    memory.map(IRQ, 0x4000);
    const [stack] = cpuStacks(context, perCpu, 0, 0x4000);
    expect(stack).toMatchObject({ kind: "hardirq", cpu: 0, low: IRQ, high: IRQ + 0x4000n, guardBelow: true });
  });

  it("finds it inside pcpu_hot (6.2 to 6.14)", () => {
    const { memory, context, perCpu } = machine({ pcpu_hot: [0x100, 0xffff888000001000n] });
    memory.write64(PERCPU + 0x120n, IRQ + 0x4000n - 8n);
    expect(cpuStacks(context, perCpu, 0, 0x4000)[0]).toMatchObject({ low: IRQ, high: IRQ + 0x4000n });
  });

  it.each([
    ["5.8 and later, in a plain guest", [0, 1, 2, 3], ["DF", "NMI", "DB", "MCE"]],
    ["5.8 and later, in an encrypted guest", [0, 1, 2, 3, 4, 5], ["DF", "NMI", "DB", "MCE", "VC", "VC2"]],
    ["5.2 to 5.7", [0, 1, 3, 4, 5], ["DF", "NMI", "DB1", "DB", "MCE"]],
  ])("tells exception stacks by what is mapped: %s", (_what, slots, names) => {
    const { memory, context, perCpu } = machine({ cea_exception_stacks: [0x100, AREA] });
    for (const slot of slots) memory.map(AREA + 0x1000n + BigInt(slot * 0x3000), 0x2000);
    memory.map(AREA + 0x13000n, 0x4000); // the debug store behind them, on Intel
    expect(brief(cpuStacks(context, perCpu, 0, 0x4000))).toEqual(names.map((n) => `exception ${n} 8K guard true`));
  });

  it("finds the entry stack by the TSS, and not by one whose sp0 is a task's (4.14)", () => {
    const { memory, context, perCpu } = machine({ cpu_tss_rw: [0x100, 0n] });
    memory.map(AREA + 0x2000n, 0x1000);
    memory.write64(PERCPU + 0x104n, AREA + 0x3000n);
    expect(cpuStacks(context, perCpu, 0, 0x4000)).toMatchObject([
      { kind: "entry", low: AREA + 0x2000n, high: AREA + 0x3000n },
    ]);
    memory.write64(PERCPU + 0x104n, IRQ + 0x4000n);
    expect(cpuStacks(context, perCpu, 0, 0x4000)).toEqual([]);
  });
});

describe("a stack that nobody owns any more", () => {
  const LOW = 0xffff888001238000n;
  const USER = { rip: 0x401000n, cs: 0x33n, flags: 0x246n, rsp: 0x7ffd00n, ss: 0x2bn };
  it.each<[string, Partial<typeof USER>, bigint, boolean]>([
    ["ends in what the CPU saved of user mode", {}, LOW + 0x10n, true],
    ["the same for a 32-bit process", { cs: 0x23n }, LOW + 0x3ff8n, true],
    ["is no block that ends otherwise", { ss: 0x18n }, LOW + 0x10n, false],
    ["nor one of another size", {}, LOW - 0x10n, false],
  ])("%s", (_what, change, address, known) => {
    const memory = new FakeMemory();
    memory.map(LOW - 0x4000n, 0x8000);
    Object.values({ ...USER, ...change }).forEach((word, index) => {
      memory.write64(LOW + 0x4000n - 40n + BigInt(index * 8), word);
    });
    const context = fakeContext({ memory });
    const perCpu = new PerCpu(context);
    const stacks = new Stacks(context, perCpu, () => [], new TaskReader(context, perCpu, () => []), 0x4000);
    const found = stacks.at(address);
    expect(found === null ? null : [found.stack.low, found.stack.high, found.stack.task, found.guard]).toEqual(
      known ? [LOW, LOW + 0x4000n, null, false] : null,
    );
  });
});

describe("threadSize", () => {
  it.each([
    ["__start_init_stack (6.10)", { __start_init_stack: IMAGE, __end_init_stack: IMAGE + 0x8000n }, 0x8000],
    ["__start_init_task", { __start_init_task: IMAGE, __end_init_task: IMAGE + 0x4000n }, 0x4000],
    ["nothing", {}, 0x4000],
    ["nonsense", { __start_init_task: IMAGE, __end_init_task: IMAGE + 0x4001n }, 0x4000],
  ])("from %s", (_what, symbols, size) => {
    expect(threadSize(fakeContext({ symbols }))).toBe(size);
  });

  it.each([
    ["the top itself", 0x2000n, 0x2000],
    ["five words below the top, as up to 4.0", 0x2000n - 40n, 0x2000],
    ["a size that no stack has", 0x3000n, 0x4000],
    ["another stack's", 0x200000n, 0x4000],
  ])("from where CPUs enter the stacks they are on: %s", (_what, above, size) => {
    const low = 0xffff888001000000n;
    expect(threadSize(fakeContext({ symbols: {} }), () => [{ low, top: low + above }])).toBe(size);
  });
});

describe("referenceCanary", () => {
  it.each([
    ["fixed_percpu_data + 40", "fixed_percpu_data", 0, 40],
    ["irq_stack_union + 40", "irq_stack_union", 0, 40],
    ["__stack_chk_guard itself (6.15)", "__stack_chk_guard", 0x500, 0x500],
  ])("is at %s", (_what, name, at, where) => {
    const { memory, context, perCpu } = machine({ [name]: [at, 0n] });
    memory.write64(PERCPU + BigInt(where), 0x1c02d5075664900n);
    expect(referenceCanary(context, perCpu, 0)).toEqual({ address: PERCPU + BigInt(where), value: 0x1c02d5075664900n });
  });

  it("reads per-CPU symbols that are addresses in the image, as from 6.15 on", () => {
    const memory = new FakeMemory();
    memory.map(IMAGE, 0x1000);
    memory.map(PERCPU, 0x1000);
    const image = 0xffffffff83000000n; // __per_cpu_start
    memory.write64(IMAGE, PERCPU - image);
    memory.write64(PERCPU + 0x10n, 0xabcdef00n);
    const context = fakeContext({ memory, symbols: { __per_cpu_offset: IMAGE, __stack_chk_guard: image + 0x10n } });
    expect(referenceCanary(context, new PerCpu(context), 0)).toEqual({ address: PERCPU + 0x10n, value: 0xabcdef00n });
  });
});

describe("matchNotes", () => {
  const cpu = (number: number): KernelCpu => ({
    number,
    online: true,
    perCpuOffset: PERCPU + BigInt(number * 0x100000),
    currentTask: 0xffff888000000000n + BigInt(number * 0x10000),
  });
  const cpus = [cpu(0), cpu(1), cpu(2)];
  const none = () => null;
  const got = (map: ReadonlyMap<number, { readonly rip: bigint }>) => [...map].map(([n, r]) => `${n}:${r.rip}`).sort();

  it("goes by GS base, kernel or swapped, not by order", () => {
    const swapped = fakeNote(2, { rip: 3n }, 0x7f0000000000n);
    const notes = [
      fakeNote(0, { rip: 1n }, cpus[2]!.perCpuOffset),
      fakeNote(1, { rip: 2n }, cpus[0]!.perCpuOffset),
      { ...swapped, segmentBases: { fs: 0n, gs: 0n, kernelGs: cpus[1]!.perCpuOffset } },
    ];
    expect(got(matchNotes(fakeContext({ notes }), cpus, none, none))).toEqual(["0:2", "1:3", "2:1"]);
  });

  it("goes by the copy in the CPU's crash_notes, though a CPU saved none", () => {
    const memory = new FakeMemory();
    memory.map(IMAGE, 0x100);
    memory.map(PERCPU, 0x300000);
    memory.write64(IMAGE, 0x500n); // crash_notes: a per-CPU allocation
    for (const [number, rip, rsp] of [
      [0, 11n, 0x111n],
      [2, 12n, 0x111n],
    ] as const) {
      const registers = cpus[number]!.perCpuOffset + 0x500n + 132n;
      memory.write64(registers + 128n, rip);
      memory.write64(registers + 152n, rsp);
    }
    const notes = [fakeNote(0, { rip: 11n, rsp: 0x111n }), fakeNote(1, { rip: 12n, rsp: 0x111n })];
    const context = fakeContext({ memory, notes, symbols: { crash_notes: IMAGE } });
    expect(got(matchNotes(context, cpus, none, none))).toEqual(["0:11", "2:12"]);
  });

  it("goes by the stack RSP is on, then by pid", () => {
    const stack = { kind: "hardirq", cpu: 1, task: null } as StackRange;
    const notes = [fakeNote(0, { rip: 1n, rsp: 0x10n }), fakeNote(1, { rip: 2n, rsp: 0x20n }, null, 55)];
    const found = matchNotes(
      fakeContext({ notes }),
      cpus,
      (address) => (address === 0x10n ? stack : null),
      (task) => (task === cpus[2]!.currentTask ? 55 : 0),
    );
    expect(got(found)).toEqual(["1:1", "2:2"]);
  });

  it("takes the order only where as many CPUs as notes are left, and says so", () => {
    const context = fakeContext({ notes: [fakeNote(0, { rip: 1n }), fakeNote(1, { rip: 2n })] });
    expect(got(matchNotes(context, cpus, none, none))).toEqual([]);
    expect(got(matchNotes(context, cpus.slice(0, 2), none, none))).toEqual(["0:1", "1:2"]);
    expect(context.problems).toHaveLength(1);
  });
});
