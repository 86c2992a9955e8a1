/**
 * Static calls that code turns elsewhere at run time: static_call_update(name, func) becomes a call of __static_call_update
 * with the key, the trampoline and the function in RDI, RSI and RDX (kernel/static_call_inline.c). As linked, a trampoline may
 * lead nowhere (might_resched), and the kernel gives it its function while it boots.
 */
import type { Program } from "../program/program.ts";
import { type FunctionTable, low32 } from "./function-table.ts";
import { readCode } from "./read-code.ts";
import { addSecurityHooks } from "./security-hooks.ts";

const UPDATE = "__static_call_update";
const TRAMPOLINE = /^__SCT__/;
const CALL = 0xe8;
const CALL_BYTES = 5;
/** `mov $imm32,%rdx` and `mov $imm32,%rsi`, both of seven bytes. */
const MOV_RDX = [0x48, 0xc7, 0xc2];
const MOV_RSI = [0x48, 0xc7, 0xc6];
const MOV_BYTES = 7;
/** Three moves, and what a compiler may have put between them. Bytes. */
const BEFORE_CALL = 48;

/** By the number of a trampoline, the functions that some code turns it to. Where no constant is passed, nothing is known. */
export function staticCallUpdates(program: Program, table: FunctionTable): Map<number, number[]> {
  const found = new Map<number, number[]>();
  addSecurityHooks(program, table, found);
  const update = program.symbols.byName(UPDATE, null);
  if (update === null) return found;
  const target = low32(update.address);
  for (const area of program.text) {
    const bytes = readCode(program.memory, area.start, Number(area.end - area.start));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const start = low32(area.start);
    let last = 0;
    for (let at = bytes.indexOf(CALL); at >= 0 && at + CALL_BYTES <= bytes.length; at = bytes.indexOf(CALL, at + 1)) {
      if (((start + at + CALL_BYTES + view.getInt32(at + 1, true)) | 0) !== target) continue;
      const from = Math.max(last, at - BEFORE_CALL);
      last = at + CALL_BYTES;
      const trampoline = table.entryAt(constant(view, MOV_RSI, from, at) ?? 0);
      const callee = table.entryAt(constant(view, MOV_RDX, from, at) ?? 0);
      if (callee < 0 || trampoline < 0 || !TRAMPOLINE.test(table.name[trampoline]!)) continue;
      found.set(trampoline, [...(found.get(trampoline) ?? []), callee]);
    }
  }
  return found;
}

/** What the last such instruction between two places loads. */
function constant(view: DataView, opcode: readonly number[], from: number, to: number): number | null {
  for (let at = to - MOV_BYTES; at >= from; at--) {
    if (opcode.every((byte, n) => view.getUint8(at + n) === byte)) return view.getInt32(at + opcode.length, true);
  }
  return null;
}
