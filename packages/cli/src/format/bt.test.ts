import type { Frame, StackRange } from "@spillway/core";
import pc from "picocolors";
import { expect, test } from "vitest";
import { task } from "../testing/fake-kernel.ts";
import { formatBacktrace, formatStale, formatTaskLine, type PrintableBacktrace } from "./bt.ts";
import { formatRawStack } from "./raw-stack.ts";

const colors = pc.createColors(false);

function stack(kind: StackRange["kind"], low: bigint): StackRange {
  return { kind, name: "", cpu: null, task: null, low, high: low + 0x4000n, guardBelow: null };
}

const taskStack = stack("task", 0xffffca72c0010000n);
const irqStack = stack("hardirq", 0xffffce4780100000n);

function frame(facts: Partial<Frame>): Frame {
  return {
    function: "vfs_write",
    module: null,
    start: null,
    offset: 199,
    address: 0xffffffffad34d497n,
    sp: 0xffffca72c0013c50n,
    cfa: null,
    interrupted: false,
    certainty: "proven",
    why: null,
    stack: taskStack,
    registers: new Map(),
    ...facts,
  };
}

function trace(frames: readonly Frame[], facts: Partial<PrintableBacktrace> = {}): PrintableBacktrace {
  const rest = { userRegs: null, source: "note", brokenFrame: null, gap: null } as const;
  return { task: null, cpu: 0, frames, end: "user", stopped: null, ...rest, ...facts };
}

const innermost = frame({ function: "panic", interrupted: true, sp: 0xffffca72c0013b70n });

test.each<[string, PrintableBacktrace, string]>([
  [
    "a frame stands where its return address lies",
    trace([innermost, frame({})]),
    " #0 [ffffca72c0013b70] panic at ffffffffad34d497\n #1 [ffffca72c0013c48] vfs_write at ffffffffad34d497\n",
  ],
  [
    "modules are named",
    trace([innermost, frame({ module: "vandal", function: "parse" })]),
    " #0 [ffffca72c0013b70] panic at ffffffffad34d497\n #1 [ffffca72c0013c48] parse at ffffffffad34d497 [vandal]\n",
  ],
  [
    "inferred frames say why; a gap behind them is shown",
    trace([innermost, frame({ certainty: "inferred", why: "the only caller" })], { gap: "frames are missing here" }),
    " #0 [ffffca72c0013b70] panic at ffffffffad34d497\n" +
      " #1 [ffffca72c0013c48] vfs_write at ffffffffad34d497 (inferred: the only caller)\n" +
      "    (frames are missing here)\n",
  ],
  [
    "an interrupted frame shows its registers, a change of stack a line",
    trace([
      frame({ function: "asm_sysvec_reboot", stack: irqStack }),
      frame({ function: "idle", offset: 15, interrupted: true, registers: new Map([["rip", 0xffffffff92493f8fn]]) }),
    ]),
    " #0 [ffffca72c0013c50] asm_sysvec_reboot at ffffffffad34d497\n" +
      "--- <hardirq stack> ---\n" +
      "    [exception RIP: idle+15]\n" +
      "    RIP: ffffffff92493f8f\n",
  ],
  [
    "where the walk stopped is said",
    trace([innermost], { end: "lost", stopped: "0x41 is not code" }),
    " #0 [ffffca72c0013b70] panic at ffffffffad34d497\n    stopped: 0x41 is not code\n",
  ],
  ["nothing at all", trace([], { end: "lost", stopped: "no registers" }), "    stopped: no registers\n"],
])("bt: %s", (_name, backtrace, expected) => {
  expect(formatBacktrace(backtrace, null, colors)).toBe(expected);
});

test("registers of user mode, as crash lays them out", () => {
  const values = ["rip", "rsp", "rflags", "rbp", "r8", "r9", "orig_rax", "cs", "ss"];
  const registers = new Map(values.map((name, index) => [name, BigInt(index + 1)]));
  expect(
    formatBacktrace(trace([innermost]), registers, colors)
      .split("\n")
      .slice(1),
  ).toEqual([
    "    RIP: 0000000000000001  RSP: 0000000000000002  RFLAGS: 00000003",
    "    RBP: 0000000000000004   R8: 0000000000000005   R9: 0000000000000006",
    "    ORIG_RAX: 0000000000000007  CS: 0008  SS: 0009",
    "",
  ]);
});

test("the line of the task", () => {
  expect(formatTaskLine(task({ pid: 1 }), 0)).toBe('PID: 1        TASK: ffff8a210120a0c0  CPU: 0    COMMAND: "init"\n');
  expect(formatTaskLine(task({ pid: 115885, cpu: null, comm: "App01" }), null)).toBe(
    'PID: 115885   TASK: ffff8a210120a0c0  CPU: -    COMMAND: "App01"\n',
  );
});

test("bt -r", () => {
  const names = (word: bigint) => (word === 0xffffffff81000010n ? "prb_read_valid+23" : null);
  expect(formatRawStack([0n, 0xffffffff81000010n, null, 1n], 0xffffca72c0013b00n, names)).toBe(
    "ffffca72c0013b00:  0000000000000000 prb_read_valid+23 \n" +
      "ffffca72c0013b10:  (not in dump)    0000000000000001 \n",
  );
});

test("bt --stale", () => {
  const one = {
    function: "do_truncate",
    module: null,
    offset: 12,
    address: 0xffffffff8100000cn,
    slot: 0xffffca72c0013b00n,
  };
  expect(formatStale([one])).toBe(
    "    stale return addresses, left by calls that are over (no frames):\n" +
      "    [ffffca72c0013b00] do_truncate+12 at ffffffff8100000c\n",
  );
  expect(formatStale([])).toBe("    no stale return addresses\n");
});

test("source lines stand below each frame, inlined functions before the one they are in", () => {
  const location = { file: "fs/proc/inode.c", line: 352, column: 8 };
  const source = (name: string, line: number, inlined: boolean) => ({
    function: name,
    inlined,
    location: line === 0 ? null : { ...location, line },
    declared: null,
  });
  const sources = new Map([
    [199, [source("pde_write", 340, true), source("proc_reg_write", 352, false)]],
    [7, [source("panic", 0, false)]],
  ]);
  const frames = [frame({ offset: 7, interrupted: true }), frame({ module: "proc" })];
  expect(formatBacktrace(trace(frames), null, colors, (one) => sources.get(one.offset ?? 0) ?? [])).toBe(
    " #0 [ffffca72c0013c50] vfs_write at ffffffffad34d497\n" +
      "    (inlined) pde_write [proc]\n" +
      "    fs/proc/inode.c:340\n" +
      " #1 [ffffca72c0013c48] vfs_write at ffffffffad34d497 [proc]\n" +
      "    fs/proc/inode.c:352\n",
  );
});
