/**
 * Security hooks as static calls (6.12): each hook has some trampolines, which the kernel fills while it starts from
 * the lists that its security modules bring. A `struct lsm_static_call` of `static_calls_table` names a trampoline, a
 * `struct security_hook_list` the first of its hook's entries there and, behind it, the function (include/linux/lsm_hooks.h).
 */
import type { Program } from "../program/program.ts";
import { type FunctionTable, low32 } from "./function-table.ts";
import { readCode } from "./read-code.ts";

const TABLE = "static_calls_table";
const TRAMPOLINE = /^__SCT__lsm_static_call_(\w+)_\d+$/;
const WORD = 8;
/** Of `struct lsm_static_call`: key, trampoline, hook, active. Bytes. */
const ENTRY_BYTES = 4 * WORD;
const TRAMPOLINE_AT = WORD;
/** Some 260 hooks, for each of which there are a dozen entries at most. */
const MOST_ENTRIES = 8192;
/** Upper half of every address in the kernel's image. */
const HIGH = 0xffffffff;

/** Adds to the functions that trampolines lead to, by the number of the trampoline. */
export function addSecurityHooks(program: Program, table: FunctionTable, targets: Map<number, number[]>): void {
  const symbol = program.symbols.byName(TABLE, null);
  if (symbol === null) return;
  const hookAt = new Map<number, string>();
  const trampolines = new Map<string, number[]>();
  for (let n = 0; n < MOST_ENTRIES; n++) {
    const at = symbol.address + BigInt(n * ENTRY_BYTES);
    const trampoline = table.entryAt(low32(program.memory.u64(at + BigInt(TRAMPOLINE_AT)) ?? 0n));
    const hook = trampoline < 0 ? undefined : TRAMPOLINE.exec(table.name[trampoline]!)?.[1];
    if (hook === undefined) break;
    hookAt.set(low32(at), hook);
    trampolines.set(hook, [...(trampolines.get(hook) ?? []), trampoline]);
  }
  for (const area of program.data) {
    const bytes = readCode(program.memory, area.start, Number(area.end - area.start));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 2 * WORD <= bytes.length; at += WORD) {
      if (view.getUint32(at + 4, true) !== HIGH || view.getUint32(at + WORD + 4, true) !== HIGH) continue;
      const hook = hookAt.get(view.getInt32(at, true));
      const callee = hook === undefined ? -1 : table.entryAt(view.getInt32(at + WORD, true));
      if (hook === undefined || callee < 0) continue;
      for (const trampoline of trampolines.get(hook) ?? []) {
        targets.set(trampoline, [...(targets.get(trampoline) ?? []), callee]);
      }
    }
  }
}
