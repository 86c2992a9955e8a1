/** Registers that pieces of code read before they write them, and that they write. */
import { expect, test } from "vitest";
import { CodeColumns, GENERAL_REGISTERS } from "../../code/code-columns.ts";
import type { Callee } from "./callees.ts";
import { Effects } from "./effects.ts";
import type { FlowQuestions } from "./flow-questions.ts";
import { ARGUMENT_REGISTERS, bits, RDI, RSI } from "./registers.ts";

const START = 0xffff_ffff_8100_0000n;
const ARGUMENTS = "rcx rdx rsi rdi r8 r9";
const AFTER_CALL = "rax rcx rdx rsi rdi r8 r9 r10 r11";

const sorted = (list: string): string => list.split(" ").sort().join(" ");
const names = (mask: number): string => GENERAL_REGISTERS.filter((_, n) => (mask & (1 << n)) !== 0).join(" ");

function effectsOf(hex: string, callee: object): Effects {
  const code = new CodeColumns();
  code.decode(
    Uint8Array.from(hex.match(/[0-9a-f]{2}/g)!, (byte) => Number.parseInt(byte, 16)),
    START,
  );
  const questions = {
    callee: () => ({ register: -1, preserves: false, takes: bits(ARGUMENT_REGISTERS), ...callee }) as Callee,
  } as unknown as FlowQuestions;
  const effects = new Effects();
  effects.find(code, 0, code.count, questions);
  return effects;
}

test.each([
  ["mov %rdi,%rbx", "4889fb", {}, "rdi", "rbx"],
  ["mov 8(%rdi,%rsi,1),%rax", "488b443708", {}, "rsi rdi", "rax"],
  ["mov %rbx,(%rdi)", "48891f", {}, "rbx rdi", ""],
  ["mov %rdi,%rbx; mov %rbx,%rcx", "4889fb 4889d9", {}, "rdi", "rcx rbx"],
  ["xor %eax,%eax", "31c0", {}, "", "rax"],
  ["add $8,%rbx", "4883c308", {}, "rbx", ""],
  ["cmp %rax,%rbx", "4839c3", {}, "", ""],
  ["push %rbx", "53", {}, "rbx rsp", ""],
  ["pop %rbx", "5b", {}, "rsp", "rbx"],
  ["leave", "c9", {}, "rbp", "rsp rbp"],
  ["lock cmpxchg %rdx,(%rdi)", "f0480fb117", {}, "rdx rdi", "rax"],
  ["imul %rbx", "48f7eb", {}, "", "rax rdx rbx"],
  ["rep movsq", "f348a5", {}, "", "rcx rsi rdi"],
  ["call of a function", "e800000000", {}, ARGUMENTS, AFTER_CALL],
  ["call of a function that takes one argument", "e800000000", { takes: 1 << RDI }, "rdi", AFTER_CALL],
  ["call of the tracer's hook", "e800000000", { preserves: true }, "", ""],
  ["call of a thunk", "e800000000", { register: 3 }, "rcx rdx rbx rsi rdi r8 r9", AFTER_CALL],
  ["call *8(%rbx)", "ff5308", {}, "rcx rdx rbx rsi rdi r8 r9", AFTER_CALL],
])("%s", (_, hex, callee, reads, writes) => {
  const effects = effectsOf(hex, callee);
  expect(sorted(names(effects.reads))).toBe(sorted(reads));
  expect(sorted(names(effects.writes))).toBe(sorted(writes));
});

test.each([
  ["ret", "c3", {}, "rax"],
  ["jump out of the function", "e900010000", {}, ARGUMENTS],
  ["jump to a function that takes two arguments", "e900010000", { takes: bits([RDI, RSI]) }, "rdi rsi"],
  ["jump to a return thunk", "e900010000", { isReturnThunk: true }, "rax"],
  ["jump to a thunk", "e900010000", { register: 3 }, `rbx ${ARGUMENTS}`],
  ["jmp *8(%rbx)", "ff6308", {}, `rbx ${ARGUMENTS}`],
  ["jump within the function", "eb00 90", {}, ""],
  ["rep movsq", "f348a5", {}, "rsi rdi"],
  ["xor %eax,%eax; ret", "31c0 c3", {}, ""],
])("told of: %s", (_, hex, callee, tells) => {
  expect(sorted(names(effectsOf(hex, callee).tells))).toBe(sorted(tells));
});
