import { type KernelContext, kernelSymbol, readU64 } from "./context.ts";

export interface KernelTime {
  /** Seconds since 1970, UTC. */
  readonly wallSeconds: number | null;
  /** Seconds since boot (CLOCK_MONOTONIC: time spent suspended is not in it). */
  readonly uptimeSeconds: number | null;
}

/** From 2001 to 2100: whatever lies outside is not a clock. */
const plausible = (seconds: number): boolean => seconds > 978_307_200 && seconds < 4_102_444_800;

/**
 * The kernel's clocks as they stood. The timekeeper is inside `tk_core` since 3.17 (behind a sequence count, padded to 8
 * bytes; `struct tk_data` since 6.13), in `timekeeper_data[0]` since 6.17, and copied to `shadow_timekeeper` from 3.10
 * to 6.12.
 */
export function readTime(context: KernelContext): KernelTime {
  const candidates: (readonly [string, number])[] = [
    ["timekeeper_data", context.types.member("tk_data", "timekeeper")?.offset ?? 8],
    ["tk_core", context.types.member("tk_data", "timekeeper")?.offset ?? 8],
    ["shadow_timekeeper", 0],
    ["timekeeper", 0],
  ];
  const wall = context.types.member("timekeeper", "xtime_sec");
  const monotonic = context.types.member("timekeeper", "ktime_sec");
  if (wall === null) return timeByContent(context);
  for (const [name, offset] of candidates) {
    const address = kernelSymbol(context, name);
    if (address === null) continue;
    const seconds = context.memory.u64(address + BigInt(offset + wall.offset));
    if (seconds === null || !plausible(Number(seconds))) continue;
    const up = monotonic === null ? null : context.memory.u64(address + BigInt(offset + monotonic.offset));
    return {
      wallSeconds: Number(seconds),
      uptimeSeconds: up === null || up > 1n << 40n ? null : Number(up),
    };
  }
  return { wallSeconds: null, uptimeSeconds: null };
}

/**
 * Without types: `xtime_sec`, `ktime_sec` and `wall_to_monotonic.tv_sec` stand one after the other in the timekeeper
 * in every kernel with ORC (4.14 on), and the first plus the last is the middle one, give or take a carry.
 */
function timeByContent(context: KernelContext): KernelTime {
  for (const name of ["timekeeper_data", "tk_core", "shadow_timekeeper"]) {
    const address = kernelSymbol(context, name);
    const bytes = address === null ? null : context.memory.read(address, 384);
    if (bytes === null) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + 24 <= bytes.length; at += 8) {
      const wall = Number(view.getBigUint64(at, true));
      const up = Number(view.getBigUint64(at + 8, true));
      const difference = Number(view.getBigInt64(at + 16, true));
      if (plausible(wall) && up < wall && Math.abs(wall + difference - up) <= 1) {
        return { wallSeconds: wall, uptimeSeconds: up };
      }
    }
  }
  return { wallSeconds: null, uptimeSeconds: null };
}

/**
 * When the kernel crashed, as ISO 8601 in UTC: `CRASHTIME` of VMCOREINFO (written by crash_kexec only), else the kernel's
 * clock, else when a kdump file was written. Null where nothing tells.
 */
export function crashTime(context: KernelContext, time: KernelTime): string | null {
  const noted = Number(context.vmcoreinfo.get("CRASHTIME") ?? Number.NaN);
  const seconds = [noted, time.wallSeconds ?? Number.NaN, context.image.header?.timestamp ?? Number.NaN].find(
    plausible,
  );
  return seconds === undefined ? null : new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/** `avenrun`: three fixed-point numbers with 11 bits of fraction (FSHIFT, include/linux/sched/loadavg.h). */
export function readLoadAverage(context: KernelContext): readonly [number, number, number] | null {
  const address = kernelSymbol(context, "avenrun");
  if (address === null) return null;
  const values: number[] = [];
  for (let i = 0n; i < 3n; i++) {
    const raw = context.memory.u64(address + i * 8n);
    // More than a million runnable tasks is not a load average.
    if (raw === null || raw >> 11n > 1_000_000n) return null;
    values.push(Number(raw) / 2048);
  }
  return [values[0]!, values[1]!, values[2]!];
}

/** Pages of all memory nodes in bytes (`pglist_data.node_present_pages`), else what the page allocator manages. */
export function readMemoryBytes(context: KernelContext): number | null {
  const nodes = kernelSymbol(context, "node_data");
  const present = nodes === null ? null : context.types.member("pglist_data", "node_present_pages");
  if (nodes !== null && present !== null) {
    let pages = 0;
    // MAX_NUMNODES is at most 1024; unused entries are NULL (or, from 6.x, the array is in use up to the last node).
    for (let i = 0; i < 1024; i++) {
      const node = context.memory.u64(nodes + BigInt(i * 8));
      if (node === null || node === 0n) break;
      pages += Number(context.memory.u64(node + BigInt(present.offset)) ?? 0n);
    }
    if (pages > 0 && pages < 2 ** 40) return pages * 4096;
  }
  // An atomic counter named with an underscore since 5.0 (ca79b0c211af).
  const managed = readU64(context, "_totalram_pages") ?? readU64(context, "totalram_pages");
  return managed === null || managed > 1n << 40n ? null : Number(managed) * 4096;
}
