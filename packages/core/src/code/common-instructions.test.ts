import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommonDecoder } from "./common-instructions.ts";
import { AnyDecoder } from "./instruction.ts";

const ADDRESS = 0xffffffff81000000n;
const bytesOf = (hex: string) => Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16));

function both(bytes: Uint8Array) {
  const any = new AnyDecoder(bytes, ADDRESS);
  try {
    return { common: new CommonDecoder(bytes, ADDRESS).decode(0), any: any.decode(0) };
  } finally {
    any.free();
  }
}

describe("common instructions", () => {
  it.each([
    ["4154", "push", ["r12:8"]],
    ["65488b042528000000", "mov", ["rax:8", "gs:[0x28]"]],
    ["488d7c2418", "lea", ["rdi:8", "[rsp+0x18]"]],
    ["4881ec00010000", "sub", ["rsp:8", "0x100"]],
    ["83e4f0", "and", ["rsp:4", "-0x10"]],
    ["8d0500000010", "lea", ["rax:4", "[0xffffffff91000006]"]],
    ["c644241f80", "mov", ["[rsp+0x1f]", "0x80"]],
    ["f0480fb116", "cmpxchg", ["[rsi]", "rdx:8"]],
    ["8a6001", "mov", ["rax:1", "[rax+0x1]"]],
    ["408a6001", "mov", ["rsp:1", "[rax+0x1]"]],
    ["4a8b04f540302010", "mov", ["rax:8", "[r14*8+0x10203040]"]],
    ["e8fbffffff", "call", ["-> 0xffffffff81000000"]],
    ["7510", "jne", ["-> 0xffffffff81000012"]],
    ["2effe0", "jmp", ["rax:8"]],
    ["66662e0f1f840000000000", "nop", ["[rax+rax*1]"]],
    ["f348ab", "stosq", ["?", "rax:8"]],
    ["0fb9d1", "ud1", ["rdx:4", "rcx:4"]],
    ["f30f1efa", "endbr64", []],
  ])("%s is %s %j", (code, mnemonic, operands) => {
    const { common, any } = both(bytesOf(code));
    expect(common).toEqual(any);
    expect(common).toMatchObject({ mnemonic, length: code.length / 2 });
    expect(common!.operands.map(text)).toEqual(operands);
  });

  it.each([
    ["c5f877", "vzeroupper: AVX"],
    ["f0480fb1d6", "lock on a register"],
    ["6506", "no instruction in 64-bit mode"],
    ["e8fbff", "cut off"],
    ["6666666666666666666666666666666690", "too long"],
    ["", "nothing"],
  ])("%s is left to the library: %s", (code) => {
    expect(new CommonDecoder(bytesOf(code), ADDRESS).decode(0)).toBeNull();
  });

  it("agrees with the library on whatever it decodes", () => {
    const prefix = fc.constantFrom(0x66, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x65, 0x40, 0x41, 0x44, 0x48, 0x4f);
    const code = fc
      .tuple(fc.array(prefix, { maxLength: 3 }), fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 14 }))
      .map(([prefixes, twoBytes, rest]) => Uint8Array.from([...prefixes, ...(twoBytes ? [0x0f] : []), ...rest]));
    fc.assert(
      fc.property(code, (bytes) => {
        const { common, any } = both(bytes);
        if (common !== null) expect(common).toEqual(any);
      }),
      { numRuns: 5000 },
    );
  });
});

type Operands = NonNullable<ReturnType<CommonDecoder["decode"]>>["operands"];

function text(operand: Operands[number]): string {
  const hex = (value: bigint) => `${value < 0n ? "-" : ""}0x${(value < 0n ? -value : value).toString(16)}`;
  switch (operand.kind) {
    case "register":
      return `${operand.register}:${operand.size}`;
    case "immediate":
      return hex(operand.value);
    case "branch":
      return `-> ${hex(operand.target)}`;
    case "memory": {
      const index = operand.index === null ? null : `${operand.index}*${operand.scale}`;
      const parts = [operand.base, index, operand.displacement === 0n ? null : hex(operand.displacement)];
      return `${operand.segment === null ? "" : `${operand.segment}:`}[${parts.filter((part) => part !== null).join("+")}]`;
    }
    default:
      return "?";
  }
}
