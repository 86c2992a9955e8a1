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
/** `xor %edx,%edx`: no function. */
const XOR_EDX = [0x31, 0xd2];
/** Three moves, and what a compiler may have put between them. Bytes. */
const BEFORE_CALL = 48;

export interface StaticCallUpdates {
  /** By the number of a trampoline, the functions that some code turns it to. */
  readonly functions: ReadonlyMap<number, readonly number[]>;
  /** Trampolines that some code turns to what it has in a register: the resolver of indirect calls may know what that can be. */
  readonly elsewhere: ReadonlySet<number>;
}

/** Does a function of that name turn a static call: its arguments are the key, the trampoline and the new callee? */
export function updatesStaticCall(callee: string): boolean {
  return callee === UPDATE;
}

/** Is that the name of a static call's trampoline? */
export function isTrampoline(name: string): boolean {
  return TRAMPOLINE.test(name);
}

/** What code turns a program's static calls to. */
export function staticCallUpdates(program: Program, table: FunctionTable): StaticCallUpdates {
  const functions = new Map<number, number[]>();
  const elsewhere = new Set<number>();
  addSecurityHooks(program, table, functions);
  const update = program.symbols.byName(UPDATE, null);
  if (update === null) return { functions, elsewhere };
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
      if (trampoline < 0 || !isTrampoline(table.name[trampoline]!)) continue;
      const value = constant(view, MOV_RDX, from, at);
      const callee = table.entryAt(value ?? 0);
      if (callee >= 0) functions.set(trampoline, [...(functions.get(trampoline) ?? []), callee]);
      else if (value === null && lastOf(view, XOR_EDX, from, at) < 0) elsewhere.add(trampoline);
    }
  }
  return { functions, elsewhere };
}

/** What the last such instruction between two places loads. */
function constant(view: DataView, opcode: readonly number[], from: number, to: number): number | null {
  const at = lastOf(view, opcode, from, to - MOV_BYTES + opcode.length);
  return at < 0 ? null : view.getInt32(at + opcode.length, true);
}

/** Where some bytes stand last between two places; -1: nowhere. */
function lastOf(view: DataView, bytes: readonly number[], from: number, to: number): number {
  for (let at = to - bytes.length; at >= from; at--) {
    if (bytes.every((byte, n) => view.getUint8(at + n) === byte)) return at;
  }
  return -1;
}
