/** The extra stacks of spillway.ko, which a task may be on besides its own. */
import type { KernelContext } from "./context.ts";
import { stackRange } from "./cpu-stacks.ts";
import type { StackRange } from "./kernel.ts";

/** The module's name and the description that it keeps of its pool (kernel-module/pool.c, `spw_layout`). */
const MODULE = "spillway";
const LAYOUT = "spw_layout";
const MAGIC = "spillway";
const LAYOUT_BYTES = 52;
/** Above the module's own bound: a table that is longer is no table. */
const MAX_SLOTS = 4096;
/** Of a struct spw_stack, bytes: no field lies further in. */
const MAX_OFFSET = 4096;

export interface ExtraStack {
  readonly range: StackRange;
  /** `struct task_struct *` of the task that has it; null: free. */
  readonly owner: bigint | null;
  /** RSP at the entry of the critical point at which its owner switched to it. */
  readonly previousSp: bigint;
  /** 0: switched to from the task's own stack; 1: from another extra stack; … */
  readonly level: number;
}

export interface ExtraStackPool {
  readonly stacks: readonly ExtraStack[];
  /** Stacks whose description is not in the dump. */
  readonly unreadable: number;
}

/** Reads the pool; null where the module is not loaded or describes its pool in a way that is not known here. */
export function readExtraStacks(context: KernelContext, threadSize: number): ExtraStackPool | null {
  const { symbols, memory } = context;
  if (!symbols.modules.some((module) => module.name === MODULE)) return null;
  const layout = symbols.byName(LAYOUT, MODULE);
  const bytes = layout === null ? null : memory.read(layout.address, LAYOUT_BYTES);
  if (bytes === null) {
    context.problem("the pool of extra stacks (spillway.ko) cannot be read from this dump");
    return null;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = String.fromCharCode(...bytes.subarray(0, MAGIC.length));
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const slots = u32(24);
  const field = { top: u32(28), owner: u32(32), previousSp: u32(36), level: u32(40) };
  if (magic !== MAGIC || u32(8) !== 1 || slots > MAX_SLOTS || Object.values(field).some((at) => at > MAX_OFFSET)) {
    context.problem("the pool of extra stacks (spillway.ko) is described in a way that is not known here");
    return null;
  }
  const table = view.getBigUint64(16, true);
  const stacks: ExtraStack[] = [];
  let unreadable = 0;
  for (let slot = 0; slot < slots; slot++) {
    const at = memory.u64(table + BigInt(slot * 8));
    if (at === 0n) continue;
    const top = at === null ? null : memory.u64(at + BigInt(field.top));
    const owner = at === null ? null : memory.u64(at + BigInt(field.owner));
    if (at === null || top === null || owner === null) {
      unreadable++;
      continue;
    }
    // 1 marks a stack that is being taken out of the pool.
    const task = owner > 1n ? owner : null;
    const range = stackRange(context, { kind: "extra", task, low: top - BigInt(threadSize), high: top });
    stacks.push({
      range,
      owner: task,
      previousSp: memory.u64(at + BigInt(field.previousSp)) ?? 0n,
      level: memory.u32(at + BigInt(field.level)) ?? 0,
    });
  }
  return { stacks, unreadable };
}
