import { expect, test } from "vitest";
import type { Kernel, StackRange } from "../kernel/kernel.ts";
import { STACK_HIGH, STACK_LOW, TASK, TEXT, tinyKernel } from "../testing/tiny-kernel.ts";
import { BtfBuilder } from "../types/btf.fixture.ts";
import { openBtf } from "../types/btf.ts";
import { tracedReturn } from "./traced-return.ts";
import { UnwindContext } from "./unwind-context.ts";

const SLOT = STACK_LOW + 0x100n;
const SHADOW = 0xffff888002000000n;
const TRUE = TEXT + 2n;

function types() {
  const btf = new BtfBuilder();
  const long = btf.int("unsigned long", 8, false);
  btf.struct("ftrace_ret_stack", 24, [
    ["ret", long, 0],
    ["func", long, 64],
    ["retp", long, 128],
  ]);
  btf.struct("task_struct", 16, [["ret_stack", long, 64]]);
  return openBtf(btf.bytes());
}

function found(stack: Partial<StackRange>, cpus: Partial<Kernel["cpus"][number]>[], handler = "return_to_handler") {
  const { kernel, at } = tinyKernel({
    functions: [
      { name: "traced", code: "90 90 c3 90" },
      { name: "return_to_handler", code: "0f1f00 c3" },
    ],
    types: types(),
    data: [
      { name: "task", address: TASK, words: [0n, SHADOW] },
      { name: "shadow", address: SHADOW, words: [1n, 2n, SLOT + 8n, TRUE, 4n, SLOT] },
    ],
  });
  const range = { kind: "task", name: "", cpu: null, task: null, low: STACK_LOW, high: STACK_HIGH, guardBelow: true };
  const here = { ...range, ...stack } as StackRange;
  const context = new UnwindContext({ ...kernel, cpus, stackAt: () => ({ stack: here, guard: false }) } as Kernel);
  return tracedReturn(context, SLOT, at(handler));
}

test("the graph tracer's shadow stack has the return address, by the slot it was taken from", () => {
  expect(found({ task: TASK }, [])).toBe(TRUE);
});

test("on an interrupt's stack it is that of whoever was interrupted", () => {
  const cpus = [
    { number: 0, currentTask: null },
    { number: 1, currentTask: TASK },
  ];
  expect(found({ kind: "hardirq", cpu: 1 }, cpus)).toBe(TRUE);
  expect(found({ kind: "hardirq", cpu: 0 }, cpus)).toBeNull();
});

test("an address that is no tracer's is left alone", () => {
  expect(found({ task: TASK }, [], "traced")).toBeNull();
});
