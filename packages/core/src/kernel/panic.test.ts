import { describe, expect, it } from "vitest";
import { fakeContext } from "./context.fixture.ts";
import type { KernelCpu } from "./cpus.ts";
import type { LogRecord } from "./kernel.ts";
import { FakeMemory } from "./memory.fixture.ts";
import { findPanic, panicMessage } from "./panic.ts";

const log = (...lines: readonly string[]): LogRecord[] =>
  lines.map((text, i) => ({ timestamp: BigInt(i), level: 0, text, caller: null }));

const NOISE = "NMI watchdog: Perf NMI watchdog permanently disabled";
const FATAL = "Kernel panic - not syncing: Fatal exception in interrupt";

describe("panicMessage", () => {
  it.each<[string, string[], string | null]>([
    [
      "a plain panic",
      [NOISE, "Kernel panic - not syncing: sysrq triggered crash", "CPU: 0"],
      "Kernel panic - not syncing: sysrq triggered crash",
    ],
    ["nothing", [NOISE, "all is well"], null],
    [
      "an oops that panics: what the oops says",
      [
        NOISE,
        "BUG: kernel NULL pointer dereference, address: 0000000000000014",
        "#PF: supervisor read",
        "Oops: 0000 [#1] PREEMPT SMP",
        "CPU: 0 PID: 94",
        "---[ end trace 0000000000000000 ]---",
        "RIP: 0010:x",
        FATAL,
      ],
      "BUG: kernel NULL pointer dereference, address: 0000000000000014",
    ],
    [
      "a stack overflow",
      ["BUG: TASK stack guard page was hit at (____ptrval____)", "stack guard page: 0000 [#1] PREEMPT SMP", FATAL],
      "BUG: TASK stack guard page was hit at (____ptrval____)",
    ],
    [
      "BUG() with its line before the number",
      [
        "------------[ cut here ]------------",
        "kernel BUG at plain.c:51!",
        "Oops: invalid opcode: 0000 [#1] PREEMPT SMP",
        FATAL,
      ],
      "kernel BUG at plain.c:51!",
    ],
    [
      "a fault that is numbered at once",
      [NOISE, "general protection fault: 0000 [#1] PREEMPT SMP", FATAL],
      "general protection fault: 0000 [#1] PREEMPT SMP",
    ],
    [
      "the later of two oopses",
      [
        "BUG: unable to handle page fault for address: 1",
        "Oops: 0000 [#1] SMP",
        "---[ end trace 1 ]---",
        "BUG: unable to handle page fault for address: 2",
        "Oops: 0000 [#2] SMP",
        "---[ end trace 2 ]---",
        FATAL,
      ],
      "BUG: unable to handle page fault for address: 2",
    ],
    [
      "not one that happened while the first was being printed",
      [
        "BUG: unable to handle page fault for address: 1",
        "Oops: 0000 [#1] SMP",
        "BUG: unable to handle page fault for address: 2",
        "Oops: 0000 [#2] SMP",
        "---[ end trace 2 ]---",
        FATAL,
      ],
      "BUG: unable to handle page fault for address: 1",
    ],
    [
      "an oops without a panic",
      ["BUG: kernel NULL pointer dereference, address: 8", "Oops: 0002 [#1] SMP"],
      "BUG: kernel NULL pointer dereference, address: 8",
    ],
    [
      "a lockup without a number",
      ["watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [sh:94]"],
      "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [sh:94]",
    ],
  ])("%s", (_what, lines, message) => {
    expect(panicMessage(log(...lines)).message).toBe(message);
  });
});

describe("findPanic", () => {
  const TASK = [0xffff888000000000n, 0xffff888000010000n];
  const cpus: KernelCpu[] = [0, 1].map((number) => ({
    number,
    online: true,
    perCpuOffset: 0n,
    currentTask: TASK[number]!,
  }));
  const lines = log("Kernel panic - not syncing: x", "CPU: 1 PID: 94 Comm: sh Kdump: loaded Tainted: G");
  const pidOf = (task: bigint) => (task === TASK[1] ? 94 : 7);

  function context(values: Readonly<Record<string, number>>) {
    const memory = new FakeMemory();
    memory.map(0xffffffff82000000n, 64);
    const symbols: Record<string, bigint> = {};
    Object.entries(values).forEach(([name, value], i) => {
      symbols[name] = 0xffffffff82000000n + BigInt(4 * i);
      memory.write32(symbols[name], value);
    });
    return fakeContext({ memory, symbols });
  }

  it.each<[string, Record<string, number>, number | null, string | null]>([
    ["panic_cpu", { panic_cpu: 1, crashing_cpu: 0 }, 1, "panic_cpu"],
    ["crashing_cpu where nobody panicked", { panic_cpu: -1, crashing_cpu: 1 }, 1, "crashing_cpu"],
    ["the log where neither tells", { panic_cpu: -1, crashing_cpu: -1, die_owner: 0 }, 1, "log"],
    ["no CPU that does not exist", { panic_cpu: 77 }, 1, "log"],
  ])("takes %s", (_what, values, cpu, source) => {
    const found = findPanic(context(values), cpus, lines, pidOf, () => null);
    expect(found).toMatchObject({ cpu, source, task: TASK[1] });
  });

  it("takes no crashing_cpu of 0 that lies in .bss, where it starts so", () => {
    const c = context({ crashing_cpu: 0 });
    const byName = (name: string) => {
      const symbol = c.symbols.byName(name);
      return symbol === null ? null : { ...symbol, type: "b" };
    };
    const found = findPanic({ ...c, symbols: { ...c.symbols, byName } }, cpus, lines, pidOf, () => null);
    expect(found).toMatchObject({ cpu: 1, source: "log" });
  });

  it("says so where the log names another task", () => {
    const c = context({ panic_cpu: 1 });
    const found = findPanic(
      c,
      cpus,
      lines,
      () => 7,
      () => 5n,
    );
    expect(found.task).toBe(TASK[1]);
    expect(c.problems.join()).toContain("pid 94");
  });

  it("reads the line of 6.13 and later, which has the user too", () => {
    const newer = log("Kernel panic - not syncing: x", "CPU: 0 UID: 0 PID: 7 Comm: init Not tainted 6.13");
    expect(findPanic(context({}), cpus, newer, pidOf, () => null)).toMatchObject({ cpu: 0, source: "log" });
  });

  it("is all null where nothing tells", () => {
    const c = context({});
    expect(findPanic(c, cpus, [], pidOf, () => null)).toEqual({ cpu: null, task: null, message: null, source: null });
    expect(c.problems).toHaveLength(1);
  });
});
