/**
 * Jumps that stay within their function although they do not name a place in it: switch statements (`jmp *table(,%rax,8)`, which compilers build where no
 * retpolines forbid it), and jumps to code out of line that jumps back. They are no calls.
 */
import { CodeColumns, FLOW, generalRegisters } from "../code/code-columns.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { Program } from "../program/program.ts";
import { type FunctionTable, fullAddress, low32 } from "./function-table.ts";
import { readCode } from "./read-code.ts";
import type { InnerJumps } from "./stack-depth.ts";

/** More cases than any switch of a kernel has. */
const MAX_CASES = 4096;
const WORD = 8;

/**
 * Where the jump table that this instruction goes through leads, as indexes of instructions; null where it uses none: a
 * table is a run of words that all lie in the function's own code.
 */
export function jumpTableTargets(memory: AddressSpace, code: CodeColumns, index: number): number[] | null {
  if (code.flow[index] !== FLOW["indirect-jump"]) return null;
  const isTable = code.index[index] !== 0 && code.scale[index] === WORD && code.base[index] === 0;
  if (!isTable || generalRegisters()[code.index[index]!]! < 0 || code.segment[index] !== 0) return null;
  const table = fullAddress(code.displacement[index]!);
  const targets = new Set<number>();
  for (let entry = 0; entry < MAX_CASES; entry++) {
    const word = memory.u64(table + BigInt(entry * WORD));
    if (word === null || fullAddress(low32(word)) !== word) break;
    const target = code.indexAt(low32(word));
    if (target < 0) break;
    targets.add(target);
  }
  return targets.size === 0 ? null : [...targets];
}

/** Bytes of code out of line that are looked at: a test, a conditional jump and a jump. */
const STUB_BYTES = 24;
const STUB_INSTRUCTIONS = 4;
const stub = new CodeColumns();

/**
 * A jump to a few instructions that belong to no function and jump back (`_static_cpu_has`, `.altinstr_aux`,
 * 2476f2fa20568, 4.6: what runs until alternatives have replaced the jump); null for any other.
 */
function stubTargets(program: Program, table: FunctionTable, code: CodeColumns, index: number): number[] | null {
  const target = code.target[index]!;
  if (code.flow[index] !== FLOW.jump || code.holds(target) || table.holding(target) >= 0) return null;
  const bytes = readCode(program.memory, fullAddress(target), STUB_BYTES);
  stub.clear();
  stub.decode(bytes, fullAddress(target), STUB_INSTRUCTIONS);
  const targets: number[] = [];
  for (let at = 0; at < stub.count; at++) {
    const flow = stub.flow[at]!;
    if (flow === FLOW.next) continue;
    const back = flow === FLOW.jump || flow === FLOW.conditional ? code.indexAt(stub.target[at]!) : -1;
    if (back < 0) return null;
    targets.push(back);
    if (flow === FLOW.jump) return targets;
  }
  return null;
}

/** All jumps of a function that stay in it by ways that the instruction does not name. */
export function innerJumpsOf(program: Program, table: FunctionTable, code: CodeColumns): InnerJumps {
  const jumps = new Map<number, readonly number[]>();
  for (let index = 0; index < code.count; index++) {
    const flow = code.flow[index];
    if (flow !== FLOW.jump && flow !== FLOW["indirect-jump"]) continue;
    const targets =
      flow === FLOW.jump ? stubTargets(program, table, code, index) : jumpTableTargets(program.memory, code, index);
    if (targets !== null) jumps.set(index, targets);
  }
  return jumps;
}
