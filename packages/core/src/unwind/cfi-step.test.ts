import { expect, test } from "vitest";
import type { DebugInfo } from "../debuginfo/debug-info.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { STACK_HIGH, tinyKernel } from "../testing/tiny-kernel.ts";
import type { CfiRow } from "./cfi.ts";
import { stepByCfi } from "./cfi-step.ts";
import { follow } from "./unwind.ts";
import { UnwindContext } from "./unwind-context.ts";

// jmp *%rax; nop: nothing that the code tells of the nop.
const FUNCTIONS = [
  { name: "outer", code: "4883ec08 e805000000 4883c408 c3" },
  { name: "inner", code: "ffe0 90 90" },
];
const SP = STACK_HIGH - 0x100n;
const OFFSET = { kind: "offset", offset: -8 } as const;

function contextWith(row: Partial<CfiRow>, stack: Readonly<Record<string, bigint>> = {}) {
  const { kernel, at } = tinyKernel({ functions: FUNCTIONS, stack });
  const inner = at("inner");
  const whole: CfiRow = {
    cfa: { kind: "register", register: 7, offset: 0x20 },
    registers: new Map([[16, OFFSET]]),
    returnAddress: 16,
    signal: false,
    ...row,
  };
  const debugInfo = { cfi: { find: (pc: bigint) => (pc >= inner ? whole : null) } } as unknown as DebugInfo;
  return { context: new UnwindContext({ ...kernel, debugInfo } as Kernel), at };
}

function step(row: Partial<CfiRow>, registers: Readonly<Record<string, bigint>> = {}, stack = {}) {
  const { context, at } = contextWith(row, stack);
  const state = { pc: at("inner", 2), exact: true, sp: SP, registers: new Map(Object.entries(registers)) };
  return stepByCfi(context, state);
}

test.each<[string, Partial<CfiRow>, bigint | undefined]>([
  ["RSP and an offset", {}, SP + 0x20n],
  ["another register", { cfa: { kind: "register", register: 6, offset: 16 } }, SP + 0x50n],
  ["a register that is not known", { cfa: { kind: "register", register: 10, offset: 0 } }, undefined],
  // DW_OP_breg6 8, DW_OP_deref
  ["an expression", { cfa: { kind: "expression", expression: Uint8Array.of(0x76, 8, 0x06) } }, SP + 0x80n],
  ["an expression that makes no sense", { cfa: { kind: "expression", expression: Uint8Array.of(0x06) } }, undefined],
  ["a return address that is lost", { registers: new Map([[16, { kind: "undefined" }]]) }, undefined],
])("the CFA by %s", (_what, row, cfa) => {
  const rbp = SP + 0x40n;
  expect(step(row, { rbp }, { [(rbp + 8n).toString()]: SP + 0x80n })?.cfa).toBe(cfa);
});

const CFA = SP + 0x20n;
test.each<[string, CfiRow["registers"] extends ReadonlyMap<number, infer Rule> ? Rule : never, bigint | undefined]>([
  ["in memory", { kind: "offset", offset: -16 }, 77n],
  ["unchanged", { kind: "same" }, 5n],
  ["lost", { kind: "undefined" }, undefined],
  ["in another register", { kind: "register", register: 3 }, 6n],
  ["an offset from the CFA", { kind: "value-offset", offset: 24 }, CFA + 24n],
  // The CFA is on the expression's stack: DW_OP_lit16, DW_OP_minus.
  ["where an expression leads", { kind: "expression", expression: Uint8Array.of(0x40, 0x1c) }, 77n],
  ["what an expression comes to", { kind: "value-expression", expression: Uint8Array.of(0x40, 0x1c) }, CFA - 16n],
])("RBP of the caller %s", (_what, rule, value) => {
  const registers = new Map([
    [16, OFFSET],
    [6, rule],
  ]);
  const found = step({ registers }, { rbp: 5n, rbx: 6n }, { [(CFA - 16n).toString()]: 77n });
  expect(found?.registers.get("rbp")).toBe(value);
});

test("what no rule names is kept by the callee, and the rest is lost", () => {
  expect(step({}, { rbx: 1n, r12: 2n, rax: 3n })?.registers).toEqual(
    new Map([
      ["rbx", 1n],
      ["r12", 2n],
    ]),
  );
});

test("a walk goes by CFI where the code tells nothing, and only to a return address that is proven", () => {
  const outerCfa = STACK_HIGH - 8n;
  const cfa = outerCfa - 16n;
  const walk = (found: (at: (name: string, offset?: number) => bigint) => bigint) => {
    const { at } = tinyKernel({ functions: FUNCTIONS });
    const stack = { [(outerCfa - 8n).toString()]: 0n, [(cfa - 8n).toString()]: found(at) };
    const { context } = contextWith({}, stack);
    return follow(context, { pc: at("inner", 2), exact: true, sp: cfa - 0x20n, registers: new Map() });
  };
  expect(walk((at) => at("outer", 9))).toMatchObject({ end: "kernel-entry", broken: null });
  expect(walk((at) => at("outer", 4)).broken?.reason).toMatch(/follows no call/);
});
