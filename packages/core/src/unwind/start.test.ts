import { describe, expect, it } from "vitest";
import type { Task } from "../kernel/kernel.ts";
import { STACK_HIGH, type TinyFunction, tinyKernel } from "../testing/tiny-kernel.ts";
import { PT_REGS_SIZE } from "./pt-regs.ts";
import { startFromSavedFrame } from "./start.ts";
import { unwindContext } from "./unwind-context.ts";

const SP = STACK_HIGH - 0x200n;

function startWith(functions: readonly TinyFunction[], words: readonly bigint[] = [], savedSp: bigint = SP) {
  const stack = Object.fromEntries(words.map((word, index) => [(savedSp + BigInt(index * 8)).toString(), word]));
  const { kernel, at } = tinyKernel({ functions, stack });
  return { state: startFromSavedFrame(unwindContext(kernel), { savedSp } as Task).state, at };
}

describe("a task that __switch_to_asm put to sleep", () => {
  // push %rbp, %rbx, %r12 … %r15; mov %rsp,0x100(%rdi); mov 0x100(%rsi),%rsp
  const pushes = "55 53 4154 4155 4156 4157";
  const moves = "4889a700010000 488ba600010000 c3";
  const kept = [
    ["r15", 1n],
    ["r14", 2n],
    ["r13", 3n],
    ["r12", 4n],
    ["rbx", 5n],
    ["rbp", 6n],
  ] as const;
  const values = kept.map(([, value]) => value);

  it.each<[string, string, readonly bigint[]]>([
    ["six registers and the return address", `${pushes} ${moves}`, [...values, 0x77n]],
    ["RFLAGS below them", `${pushes} 9c ${moves}`, [0x246n, ...values, 0x77n]],
    ["code that says nothing: as it mostly is", "90 c3", [...values, 0x77n]],
  ])("%s", (_what, code, words) => {
    const { state } = startWith([{ name: "__switch_to_asm", code }], words);
    expect(state).toMatchObject({ pc: 0x77n, exact: false, sp: SP + BigInt(words.length * 8) });
    expect(new Map([...state!.registers].sort())).toEqual(new Map([...kept].sort()));
  });
});

describe("a task that an inline switch put to sleep", () => {
  const FUNCTIONS = [
    { name: "ret_from_fork", code: "90 c3" },
    { name: "__switch_to", code: "90 c3" },
    // call ret_from_fork; call __switch_to, which returns to +10
    { name: "__schedule", code: "e8f7ffffff e8f4ffffff c3" },
  ];

  it("stands behind the scheduler's call", () => {
    const { state, at } = startWith(FUNCTIONS);
    expect(state).toEqual({ pc: at("__schedule", 10), exact: false, sp: SP, registers: new Map() });
  });

  it("or has not run yet", () => {
    const sp = STACK_HIGH - BigInt(PT_REGS_SIZE);
    const { state, at } = startWith(FUNCTIONS, [], sp);
    expect(state).toMatchObject({ pc: at("ret_from_fork"), exact: true, sp });
  });

  it("is nowhere without a scheduler", () => {
    expect(startWith(FUNCTIONS.slice(0, 2)).state).toBeNull();
  });
});
