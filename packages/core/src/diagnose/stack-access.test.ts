import { describe, expect, it } from "vitest";
import { decodeInstructions } from "../code/instruction.ts";
import { stackAccesses } from "./stack-access.ts";

const RSP = 0x1000n;
const bytes = (code: string) => Uint8Array.from(code.match(/../g)!, (pair) => Number.parseInt(pair, 16));

describe("stackAccesses", () => {
  it.each([
    ["53", "push %rbx", [0xff8n]],
    ["e800000000", "call", [0xff8n]],
    ["ffd0", "call *%rax", [0xff8n]],
    ["48830c2400", "orq $0,(%rsp)", [0x1000n]],
    ["48898424f8ffffff", "mov %rax,-8(%rsp)", [0xff8n]],
    ["c60700", "movb $0,(%rdi): a wild pointer may lead to a guard page too", []],
    ["488d4424f8", "lea -8(%rsp),%rax touches nothing", []],
    ["90", "nop", []],
  ])("%s: %s", (code, _what, expected) => {
    const [instruction] = decodeInstructions(bytes(code), 0n, 1);
    expect(stackAccesses(instruction!, RSP).map((access) => access.address)).toEqual(expected);
  });
});
