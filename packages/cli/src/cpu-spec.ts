import { type Kernel, SpillwayError } from "@spillway/core";
import { resolveLocation } from "./location.ts";

function unknownCpu(text: string): SpillwayError {
  return new SpillwayError("SPW_USAGE", `":${text}" names no CPUs of this dump`, {
    class: "usage",
    hint: "write :0 or :0-3,5 or :a for all",
  });
}

/** CPU numbers of `0`, `1-3,5`, `a`, `all`. */
function cpuNumbers(kernel: Kernel, text: string): number[] {
  const known = kernel.cpus.map((cpu) => cpu.number);
  if (text === "a" || text === "all") return known;
  if (text === "") return [kernel.panic.cpu ?? 0];
  return text.split(",").flatMap((part) => {
    const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (range === null) throw unknownCpu(text);
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    const chosen = known.filter((cpu) => cpu >= first && cpu <= last);
    if (chosen.length === 0) throw unknownCpu(text);
    return chosen;
  });
}

/**
 * The addresses of `WHERE` or `WHERE:CPUS`, as crash takes them: with CPUs, a per-CPU symbol or pointer is looked at on each.
 * @throws SpillwayError `SPW_SYMBOL_UNKNOWN`, `SPW_USAGE`
 */
export function cpuAddresses(
  kernel: Kernel,
  where: string,
): { readonly cpu: number | null; readonly address: bigint }[] {
  const colon = where.lastIndexOf(":");
  if (colon < 0) return [{ cpu: null, address: resolveLocation(where, kernel.symbols).address }];
  const base = resolveLocation(where.slice(0, colon), kernel.symbols).address;
  return cpuNumbers(kernel, where.slice(colon + 1)).map((number) => {
    const offset = kernel.cpus.find((cpu) => cpu.number === number)!.perCpuOffset;
    return { cpu: number, address: BigInt.asUintN(64, base + offset) };
  });
}
