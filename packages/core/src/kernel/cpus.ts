import { isKernelAddress, type KernelContext, kernelSymbol, readI32 } from "./context.ts";
import { MAX_CPUS, type PerCpu } from "./percpu.ts";

/** A CPU before the dump's notes are matched to it. */
export interface KernelCpu {
  readonly number: number;
  readonly online: boolean;
  readonly perCpuOffset: bigint;
  readonly currentTask: bigint | null;
}

/**
 * The CPUs that are present, with what runs on them. A panic takes the other CPUs offline before the machine stops
 * (stop_this_cpu), so `online` says how the kernel ended, not how it ran.
 */
export function readCpus(context: KernelContext, perCpu: PerCpu): readonly KernelCpu[] {
  const limit = cpuLimit(context);
  // Named with two underscores since 4.5 (5aec01b834fd); `cpu_*_bits` before.
  const online = readMask(context, ["__cpu_online_mask", "cpu_online_bits"], limit);
  const present = readMask(context, ["__cpu_present_mask", "cpu_present_bits"], limit);
  const cpus: KernelCpu[] = [];
  for (let number = 0; number < limit; number++) {
    const isOnline = bit(online, number);
    if (!isOnline && !bit(present, number)) continue;
    const perCpuOffset = perCpu.offset(number);
    if (perCpuOffset === null) continue;
    cpus.push({ number, online: isOnline, perCpuOffset, currentTask: currentTask(perCpu, number) });
  }
  if (cpus.length === 0) context.problem("no CPU could be found: the masks of present and online CPUs cannot be read");
  return cpus;
}

function cpuLimit(context: KernelContext): number {
  const ids = readI32(context, "nr_cpu_ids");
  return ids !== null && ids > 0 && ids <= MAX_CPUS ? ids : 64;
}

function readMask(context: KernelContext, names: readonly string[], limit: number): Uint8Array | null {
  for (const name of names) {
    const address = kernelSymbol(context, name);
    const bytes = address === null ? null : context.memory.read(address, Math.ceil(limit / 64) * 8);
    if (bytes !== null) return bytes;
  }
  return null;
}

function bit(mask: Uint8Array | null, number: number): boolean {
  return mask !== null && (((mask[number >> 3] ?? 0) >> (number & 7)) & 1) === 1;
}

/**
 * `current`: the per-CPU variable `current_task` up to 6.1 and again since 6.15 (a1e4cc0155ad), the first member of the
 * per-CPU `pcpu_hot` between (e57ef2ed97c1, 6.2).
 */
function currentTask(perCpu: PerCpu, cpu: number): bigint | null {
  const task = perCpu.u64("current_task", cpu) ?? perCpu.memberU64("pcpu_hot", "pcpu_hot", "current_task", cpu, 0);
  return task !== null && isKernelAddress(task) ? task : null;
}
