/** The extra stacks of spillway.ko, which a task may be on besides its own. */
import type { KernelContext } from "./context.ts";
import { stackRange } from "./cpu-stacks.ts";
import type { StackRange } from "./kernel.ts";

/** The module's name and the description that it keeps of its pool (kernel-module/pool.c, `spw_layout`). */
const MODULE = "spillway";
const LAYOUT = "spw_layout";
const MAGIC = "spillway";
const LAYOUT_BYTES = 80;
/** Above the module's own bound: a table that is longer is no table. */
const MAX_SLOTS = 4096;
/** Above the module's own bound of critical points. */
const MAX_POINTS = 1024;
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

/** How the pool was used up to the crash. */
export interface ExtraStackUse {
  /** Most stacks in use at a time. */
  readonly highWater: number;
  /** Switches, and calls that failed with -EIO because no stack was left, on all CPUs. */
  readonly switches: bigint;
  readonly refusals: bigint;
}

export interface ExtraStackPool {
  /** Where the module describes the pool (`spw_layout`). */
  readonly address: bigint;
  readonly stacks: readonly ExtraStack[];
  /** Stacks whose description is not in the dump. */
  readonly unreadable: number;
  /** Null where a counter is not in the dump. */
  readonly use: ExtraStackUse | null;
}

/** Reads the pool; null where the module is not loaded or describes its pool in a way that is not known here. */
export function readExtraStacks(
  context: KernelContext,
  threadSize: number,
  cpus: readonly { readonly perCpuOffset: bigint }[],
): ExtraStackPool | null {
  const { symbols, memory } = context;
  if (!symbols.modules.some((module) => module.name === MODULE)) return null;
  const layout = symbols.byName(LAYOUT, MODULE);
  const bytes = layout === null ? null : memory.read(layout.address, LAYOUT_BYTES);
  if (bytes === null) {
    context.problem("the pool of extra stacks (spillway.ko) cannot be read from this dump");
    return null;
  }
  const layoutAt = layout!.address;
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
  const counts: Counts = {
    points: u32(52),
    pointer: view.getBigUint64(56, true),
    highWater: view.getBigUint64(64, true),
    switches: u32(72),
    refusals: u32(76),
  };
  return { address: layoutAt, stacks, unreadable, use: readUse(context, counts, cpus) };
}

/** Where the counters are: per-CPU arrays with a word for each point, and the pointer to them. */
interface Counts {
  readonly points: number;
  readonly pointer: bigint;
  readonly highWater: bigint;
  readonly switches: number;
  readonly refusals: number;
}

function readUse(
  { memory }: KernelContext,
  counts: Counts,
  cpus: readonly { readonly perCpuOffset: bigint }[],
): ExtraStackUse | null {
  const highWater = memory.u32(counts.highWater);
  const perCpu = memory.u64(counts.pointer);
  if (highWater === null || perCpu === null || counts.points > MAX_POINTS) return null;
  const sum = (offset: number): bigint | null => {
    let total = 0n;
    for (const cpu of cpus) {
      const at = BigInt.asUintN(64, perCpu + cpu.perCpuOffset) + BigInt(offset);
      const bytes = memory.read(at, counts.points * 8);
      if (bytes === null) return null;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      // Point 0 is the module's self-test at load.
      for (let point = 1; point < counts.points; point++) total += view.getBigUint64(point * 8, true);
    }
    return total;
  };
  const switches = sum(counts.switches);
  const refusals = sum(counts.refusals);
  return switches === null || refusals === null ? null : { highWater, switches, refusals };
}
