import { expect, test } from "vitest";
import type { Kernel } from "../kernel/kernel.ts";
import { TEXT, tinyKernel } from "../testing/tiny-kernel.ts";
import { unnamedCallReaches } from "./unnamed-code.ts";
import { UnwindContext } from "./unwind-context.ts";

const CALLEE = { name: "callee", code: "90 90 90 90 90 c3 90 90" };
const THUNK = { name: "__x86_indirect_thunk_rax", code: "ffe0 9090 9090 9090" };
/** The code behind both, whose symbol is lost. */
const AFTER = TEXT + 16n;

test.each([
  ["call callee", "9090 e8e9ffffff", "direct"],
  ["call of another function", "9090 e8e8ff0f00", "no"],
  ["call __x86_indirect_thunk_rax", "9090 e8f1ffffff", "indirect"],
  ["call *%rax", "9090909090 ffd0", "indirect"],
  ["call *(%rax)", "9090909090 ff10", "indirect"],
  ["call *8(%rax)", "90909090 ff5008", "indirect"],
  ["call *0x100(%rax)", "90 ff9000010000", "indirect"],
  ["call *0x100(,%rax,8)", "ff14c500010000", "indirect"],
  ["jmp *%rax", "9090909090 ffe0", "no"],
  ["nop", "90909090909090", "no"],
])("%s", (_what, code, reach) => {
  const { kernel, at } = tinyKernel({ functions: [CALLEE, THUNK, { name: "lost", code }] });
  const functionAt = (address: bigint) => (address >= AFTER ? null : kernel.symbols.functionAt(address));
  const symbols = Object.assign(Object.create(kernel.symbols) as Kernel["symbols"], { functionAt });
  const context = new UnwindContext({ ...kernel, symbols } as Kernel);
  expect(unnamedCallReaches(context, AFTER + 7n, kernel.symbols.functionAt(at("callee")))).toBe(reach);
});
