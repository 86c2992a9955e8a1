/** What gcc's debug information of a small program (testing/gcc-program.fixture.ts) says of its code and data. */
import { expect, test } from "vitest";
import { formatTypeName } from "../types/format-c.ts";
import { gccDeclared } from "./testing/gcc-program.fixture.ts";

const TEXT = 0xffffffff81000000n;
const declared = gccDeclared();
const names = new Map([
  [0, "rax"],
  [4, "rsp"],
  [7, "rdi"],
]);

test("variables that have an address", () => {
  const found = [...declared.variables()].map(({ address, type }) => `${address.toString(16)} ${formatTypeName(type)}`);
  expect(found).toEqual(["ffffffff82000000 const struct ops [2]", "ffffffff82000020 int (*)(void *)"]);
});

test.each([
  ["a function's first instruction", 0x20, "int (struct holder *holder)"],
  ["a static function's", 0x10, "int (void *at)"],
  ["an instruction within", 0x24, null],
  ["no function", 0x1000, null],
])("the function at %s", (_, offset, expected) => {
  const type = declared.functionAt(TEXT + BigInt(offset));
  expect(type === null ? null : formatTypeName(type)).toBe(expected);
});

test.each([
  ["where the function begins: its parameter", 0x20, ["rdi struct holder *"]],
  ["at mov 0x8(%rdi),%rdi", 0x24, ["rdi struct holder *"]],
  ["behind it: the local that was loaded", 0x28, ["rdi struct user *"]],
  ["at the call; what rax holds has no name", 0x2b, ["rdi struct user *"]],
  ["behind the call", 0x32, []],
  ["outside of functions", 0x1000, []],
])("registers %s", (_, offset, expected) => {
  const found = declared.registersAt(TEXT + BigInt(offset));
  expect([...found].map(([register, type]) => `${names.get(register)} ${formatTypeName(type)}`)).toEqual(expected);
});
