/**
 * Jump labels (static branches): instructions that do nothing, or jump, as the kernel is told while it runs. The code behind
 * such a jump is often reached no other way, and the values that it uses are those of the instruction.
 *
 * `struct jump_entry` is `{ s32 code, target; long key; }`, both relative to their own place (include/linux/jump_label.h,
 * CONFIG_HAVE_ARCH_JUMP_LABEL_RELATIVE, x86 since 4.19: 9fc0f798ab9a).
 */
import type { Program } from "../../program/program.ts";
import { low32 } from "../function-table.ts";

/** Targets by the address of the instruction (low 32 bits, signed). */
export type JumpLabels = ReadonlyMap<number, number>;

const ENTRY_BYTES = 16;
/** A kernel has some 6,000. */
const MOST_ENTRIES = 1 << 18;

/** The kernel's own table; empty where it has none, or is not there. */
export function jumpLabels(program: Program): JumpLabels {
  const found = new Map<number, number>();
  const start = program.symbols.byName("__start___jump_table", null)?.address;
  const end = program.symbols.byName("__stop___jump_table", null)?.address;
  if (start === undefined || end === undefined || end <= start) return found;
  if (end - start > BigInt(MOST_ENTRIES * ENTRY_BYTES)) return found;
  const bytes = program.memory.read(start, Number(end - start));
  if (bytes === null) return found;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const base = low32(start);
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const code = (base + at + view.getInt32(at, true)) | 0;
    found.set(code, (base + at + 4 + view.getInt32(at + 4, true)) | 0);
  }
  return found;
}
