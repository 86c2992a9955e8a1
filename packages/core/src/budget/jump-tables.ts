/**
 * Indirect jumps that stay within their function: switch statements (`jmp *table(,%rax,8)`, which compilers build where no
 * retpolines forbid it) and computed gotos. They are no calls.
 */
import { type CodeColumns, FLOW, generalRegisters } from "../code/code-columns.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { fullAddress, low32 } from "./function-table.ts";

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
