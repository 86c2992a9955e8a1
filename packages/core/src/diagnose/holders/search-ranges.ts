/** Which memory is searched for pointers: what outlives a function call, so what may still point into a dead frame. */
import type { Kernel } from "../../kernel/kernel.ts";
import type { PlaceKind } from "./holder.ts";
import { SlabPages } from "./slab-pages.ts";

export interface SearchRange {
  readonly kind: PlaceKind;
  readonly start: bigint;
  /** Bytes. */
  readonly size: number;
  /** Name of the module, or number of the CPU. */
  readonly of: string | number | null;
}

/** Stacks searched besides those of CPUs: of tasks that run first, then in the order of the task list. */
const MOST_STACKS = 4096;
const LONGEST_STACK = 1 << 18;
/** No kernel's data or bss is longer. */
const LONGEST_SECTION = 1 << 28;
const MOST_CPUS = 1024;
/** `pcpu_unit_size` is some hundred KiB; its static part alone is searched where that is unreadable. */
const LONGEST_UNIT = 1 << 22;

/** All that is searched, so that a damaged list of CPUs or modules cannot make it endless. Bytes. */
const MOST_BYTES = 1 << 30;

export interface SearchPlan {
  readonly ranges: readonly SearchRange[];
  readonly slabs: SlabPages | null;
  /** What is left out, in words. */
  readonly leftOut: readonly string[];
}

/** The memory to search, most telling first. */
export function planSearch(kernel: Kernel): SearchPlan {
  const leftOut: string[] = [];
  const slabs = SlabPages.open(kernel);
  const ranges = [...moduleData(kernel), ...kernelData(kernel), ...stacks(kernel, leftOut), ...perCpu(kernel)];
  if (slabs === null) leftOut.push("slab memory, since the kernel's page structures could not be read");
  else {
    const { runs, all } = slabs.runs();
    for (const { start, size } of runs) ranges.push({ kind: "slab", start, size, of: null });
    if (!all) leftOut.push("part of the slab memory: there is too much of it");
  }
  let bytes = 0;
  const within = ranges.filter((range) => {
    bytes += range.size;
    return bytes <= MOST_BYTES;
  });
  if (within.length < ranges.length) leftOut.push("what goes beyond the first GiB of data");
  return { ranges: within, slabs, leftOut };
}

function moduleData({ symbols }: Kernel): SearchRange[] {
  return symbols.modules.flatMap((module) =>
    module.areas
      .filter((area) => !area.text && area.size > 0 && area.size <= LONGEST_SECTION)
      .map((area): SearchRange => ({ kind: "module-data", start: area.start, size: area.size, of: module.name })),
  );
}

function kernelData(kernel: Kernel): SearchRange[] {
  const at = (name: string) => kernel.symbols.byName(name, null)?.address ?? null;
  const found: SearchRange[] = [];
  for (const [from, to] of [
    ["_sdata", "_edata"],
    ["__bss_start", "__bss_stop"],
  ] as const) {
    const start = at(from);
    const end = at(to);
    if (start === null || end === null || end <= start || end - start > BigInt(LONGEST_SECTION)) continue;
    found.push({ kind: "kernel-data", start, size: Number(end - start), of: null });
  }
  return found;
}

/** Each CPU's unit: the static variables, the modules' and those allocated at run time. */
function perCpu(kernel: Kernel): SearchRange[] {
  const start = kernel.symbols.byName("__per_cpu_start", null)?.address ?? null;
  const end = kernel.symbols.byName("__per_cpu_end", null)?.address ?? null;
  if (start === null || end === null || end <= start) return [];
  const sizeAt = kernel.symbols.byName("pcpu_unit_size", null)?.address ?? null;
  const unit = sizeAt === null ? null : kernel.memory.i32(sizeAt);
  const fixed = Number(end - start);
  const size = unit !== null && unit >= fixed && unit <= LONGEST_UNIT ? unit : Math.min(fixed, LONGEST_UNIT);
  return kernel.cpus.slice(0, MOST_CPUS).map((cpu) => ({
    kind: "per-cpu",
    start: BigInt.asUintN(64, start + cpu.perCpuOffset),
    size,
    of: cpu.number,
  }));
}

function stacks(kernel: Kernel, leftOut: string[]): SearchRange[] {
  const all = kernel.stacks().filter((stack) => stack.high - stack.low <= BigInt(LONGEST_STACK));
  const running = new Set(kernel.cpus.map((cpu) => cpu.currentTask));
  const first = all.filter((stack) => stack.task === null || running.has(stack.task));
  const rest = all.filter((stack) => stack.task !== null && !running.has(stack.task));
  if (rest.length > MOST_STACKS) leftOut.push(`the stacks of ${rest.length - MOST_STACKS} tasks`);
  return [...first, ...rest.slice(0, MOST_STACKS)].map((stack) => ({
    kind: "stack",
    start: stack.low,
    size: Number(stack.high - stack.low),
    of: null,
  }));
}
