import { describe, expect, test } from "vitest";
import type { VariablePlace } from "./debug-info.ts";
import { type ExpressionContext, evaluateLocation, evaluateNumber } from "./location-expression.ts";

/** RBX 0x11223344, RBP 0x2000, R8 -1; CFA 0x3000; frame base = CFA; memory: each word holds its address plus one. */
const context: ExpressionContext = {
  register: (number) =>
    new Map([
      [3, 0x11223344n],
      [6, 0x2000n],
      [8, 0xffff_ffff_ffff_ffffn],
    ]).get(number) ?? null,
  cfa: 0x3000n,
  frameBase: () => 0x3000n,
  read: (address, size) => (address < 0x10000n ? BigInt.asUintN(size * 8, address + 1n) : null),
  relocate: (address) => address + 0x1000000n,
  indexed: (index) => (index === 2 ? 0x4444n : null),
  entryValue: (block) => (block.length === 1 && block[0] === 0x55 ? 0x77n : null),
  baseType: (offset) =>
    new Map([
      [1, { size: 4, signed: true }],
      [2, { size: 8, signed: true }],
      [3, { size: 4, signed: false }],
    ]).get(offset) ?? null,
  referenceSize: 4,
};

const at = (address: bigint): VariablePlace => ({ kind: "memory", address });
const is = (...bytes: (number | null)[]): VariablePlace => ({ kind: "value", bytes });
const lost = (why: string): VariablePlace => ({ kind: "lost", why });
const quad = (value: bigint): VariablePlace =>
  is(...Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn)));

test.each<[string, number[], VariablePlace]>([
  ["nothing", [], lost("optimised out")],
  ["addr", [0x03, 0, 0, 0, 0x81, 0, 0, 0, 0], at(0x82000000n)],
  ["addrx", [0xa1, 2], at(0x4444n)],
  ["addrx of no entry", [0xa1, 3], lost("its address is not in the debug information")],
  ["fbreg -24", [0x91, 0x68], at(0x2fe8n)],
  ["call_frame_cfa, lit8, minus", [0x9c, 0x38, 0x1c], at(0x2ff8n)],
  ["breg6 +16", [0x76, 0x10], at(0x2010n)],
  ["bregx 6 -8", [0x92, 6, 0x78], at(0x1ff8n)],
  ["breg of a register that is not known", [0x70, 0], lost("RAX is not known in this frame")],
  ["reg3", [0x53], is(0x44, 0x33, 0x22, 0x11)],
  ["regx 3", [0x90, 3], is(0x44, 0x33, 0x22, 0x11)],
  ["reg5, not known", [0x55], lost("RDI is not known in this frame")],
  ["reg5 at entry", [0xa3, 1, 0x55, 0x9f], quad(0x77n)],
  ["GNU's reg5 at entry", [0xf3, 1, 0x55, 0x9f], quad(0x77n)],
  [
    "reg4 at entry, which the caller does not tell",
    [0xa3, 1, 0x54, 0x9f],
    lost("overwritten since the function was entered, and its caller does not tell what it was"),
  ],
  ["lit5, stack_value", [0x35, 0x9f], quad(5n)],
  ["const1s -2", [0x09, 0xfe, 0x9f], quad(-2n)],
  ["const2u", [0x0a, 1, 0x80, 0x9f], quad(0x8001n)],
  ["const4s -1", [0x0d, 255, 255, 255, 255, 0x9f], quad(-1n)],
  ["constu", [0x10, 0xe5, 0x8e, 0x26, 0x9f], quad(624485n)],
  ["consts", [0x11, 0x9b, 0xf1, 0x59, 0x9f], quad(-624485n)],
  ["breg8 0, lit2, div: signed", [0x78, 0, 0x32, 0x1b, 0x9f], quad(0n)],
  ["div by zero", [0x35, 0x30, 0x1b, 0x9f], lost("its location expression makes no sense")],
  ["breg8 0, lit0, lt: signed", [0x78, 0, 0x30, 0x2d, 0x9f], quad(1n)],
  ["breg8 0, const1u 63, shr", [0x78, 0, 0x08, 63, 0x25, 0x9f], quad(1n)],
  ["breg8 0, const1u 63, shra", [0x78, 0, 0x08, 63, 0x26, 0x9f], quad(-1n)],
  ["lit1, const1u 64, shl", [0x31, 0x08, 64, 0x24, 0x9f], quad(0n)],
  ["plus_uconst", [0x35, 0x23, 0x80, 0x01, 0x9f], quad(133n)],
  ["lit7, lit3, mod, neg, not", [0x37, 0x33, 0x1d, 0x1f, 0x20, 0x9f], quad(0n)],
  ["lit1, lit2, lit3, rot", [0x31, 0x32, 0x33, 0x17, 0x9f], quad(2n)],
  ["lit1, lit2, swap, minus", [0x31, 0x32, 0x16, 0x1c, 0x9f], quad(1n)],
  ["lit1, lit2, over", [0x31, 0x32, 0x14, 0x9f], quad(1n)],
  ["lit1, lit2, lit3, pick 2", [0x31, 0x32, 0x33, 0x15, 2, 0x9f], quad(1n)],
  ["lit1, dup, plus, drop of a copy", [0x31, 0x12, 0x22, 0x12, 0x13, 0x9f], quad(2n)],
  ["breg6 0, deref", [0x76, 0, 0x06], at(0x2001n)],
  ["breg6 0, deref_size 1", [0x76, 0, 0x94, 1, 0x9f], quad(1n)],
  ["deref of what is not there", [0x78, 0, 0x06], lost("the memory at 0xffffffffffffffff is not in the dump")],
  ["implicit_value", [0x9e, 2, 7, 8], is(7, 8)],
  ["implicit_pointer", [0xa0, 1, 2, 3, 4, 0], lost("a pointer to something that was optimised out")],
  ["form_tls_address", [0x30, 0x9b], lost("thread-local")],
  ["bra over a literal", [0x31, 0x28, 1, 0, 0x35, 0x36, 0x9f], quad(6n)],
  ["bra not taken", [0x30, 0x28, 1, 0, 0x35, 0x9f], quad(5n)],
  ["a branch out of it", [0x31, 0x28, 99, 0], lost("its location expression makes no sense")],
  ["an endless loop", [0x2f, 0xfd, 0xff], lost("its location expression does not end")],
  ["an unknown operation", [0xed], lost("its location uses operation 0xed, which is not known")],
  ["a cut operand", [0x0c, 1], lost("its location expression is cut short")],
  ["an empty stack", [0x22], lost("its location expression makes no sense")],
  ["regval_type int: the low half, with its sign", [0xa5, 8, 1, 0xa8, 2, 0x9f], quad(-1n)],
  ["regval_type unsigned: no sign", [0xa5, 8, 3, 0xa8, 2, 0x9f], quad(0xffffffffn)],
  ["convert to the generic type", [0xa5, 8, 1, 0xa8, 0, 0x9f], quad(-1n)],
  ["const_type", [0xa4, 3, 4, 1, 0, 0, 0x80, 0xa8, 0, 0x9f], quad(0x80000001n)],
  ["a type that is none", [0xa5, 8, 9], lost("computed with a type that is no integer")],
])("%s", (_what, expression, place) => {
  const size = place.kind === "value" ? place.bytes.length : null;
  expect(evaluateLocation(Uint8Array.from(expression), context, size)).toEqual(place);
});

describe("pieces", () => {
  test.each<[string, number[], VariablePlace]>([
    ["side by side in memory", [0x76, 0, 0x93, 4, 0x76, 4, 0x93, 4], at(0x2000n)],
    ["apart", [0x76, 0, 0x93, 2, 0x53, 0x93, 2], is(1, 2, 0x44, 0x33)],
    ["one lost", [0x93, 2, 0x35, 0x9f, 0x93, 2], is(null, null, 5, 0)],
    ["one in a register that is not known", [0x50, 0x93, 1, 0x53, 0x93, 1], is(null, 0x44)],
    ["a lost pointer and a value", [0xa0, 0, 0, 0, 0, 0, 0x93, 2, 0x31, 0x9f, 0x93, 1], is(null, null, 1)],
    ["all lost", [0x93, 4, 0x93, 4], lost("optimised out")],
    ["far too large", [0x93, 0xff, 0xff, 0x7f], lost("its pieces are larger than any variable")],
  ])("%s", (_what, expression, place) => {
    expect(evaluateLocation(Uint8Array.from(expression), context, null)).toEqual(place);
  });
});

test.each<[string, number[], bigint | null]>([
  ["breg3 +4", [0x73, 4], 0x11223348n],
  ["reg6: its content", [0x56], 0x2000n],
  ["fbreg, deref, stack_value", [0x91, 0, 0x06, 0x9f], 0x3001n],
  ["reg0, not known", [0x50], null],
  ["pieces", [0x53, 0x93, 4], null],
])("a number: %s", (_what, expression, value) => {
  expect(evaluateNumber(Uint8Array.from(expression), context)).toBe(value);
});
