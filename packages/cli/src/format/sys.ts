import type { Kernel } from "@spillway/core";
import { printable } from "../text/printable.ts";
import { formatDate, formatUptime } from "./time.ts";

/** Memory size as crash prints it: `255.5 MB`, `127.9 GB`. */
export function formatMemory(bytes: number): string {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} bytes` : `${value.toFixed(1).replace(/\.0$/, "")} ${units[unit]}`;
}

/** The `#1 SMP …` part of the banner, which uname calls the version. */
function versionOf(banner: string): string | null {
  const start = banner.lastIndexOf(" #");
  return start < 0 ? null : banner.slice(start + 1).trim();
}

/** The facts of `spillway sys`; null where the dump does not say. */
export function systemFacts(kernel: Kernel, files: readonly string[]) {
  const offline = kernel.cpus.filter((cpu) => !cpu.online).length;
  return {
    files,
    format: kernel.image.format,
    flattened: kernel.image.flattened,
    partial: (kernel.image.header?.dumpLevel ?? 0) !== 0,
    cpus: kernel.cpus.length,
    cpusOffline: offline,
    date: kernel.crashTime,
    uptimeSeconds: kernel.uptimeSeconds,
    loadAverage: kernel.loadAverage,
    tasks: kernel.tasks().length,
    nodename: kernel.nodename,
    release: kernel.release,
    version: versionOf(kernel.banner),
    machine: kernel.machine,
    memoryBytes: kernel.memoryBytes,
    panic: kernel.panic.message,
    kaslrOffset: kernel.kaslrOffset,
    pagingLevels: kernel.pagingLevels,
    problems: [...kernel.image.problems.map((problem) => problem.message), ...kernel.problems],
  };
}

export type SystemFacts = ReturnType<typeof systemFacts>;

/** `sys` as crash lays it out. What the dump does not say reads "(unknown)" rather than a made-up value. */
export function formatSys(facts: SystemFacts): string {
  const unknown = "(unknown)";
  const rows: [string, string][] = [
    ["DUMPFILE", `${facts.files.join(", ")}${facts.partial ? "  [PARTIAL DUMP]" : ""}`],
    ["CPUS", `${facts.cpus}${facts.cpusOffline > 0 ? ` [OFFLINE: ${facts.cpusOffline}]` : ""}`],
    ["DATE", facts.date === null ? unknown : formatDate(new Date(facts.date))],
    ["UPTIME", facts.uptimeSeconds === null ? unknown : formatUptime(facts.uptimeSeconds)],
    ["LOAD AVERAGE", facts.loadAverage?.map((load) => load.toFixed(2)).join(", ") ?? unknown],
    ["TASKS", facts.tasks.toString()],
    ["NODENAME", facts.nodename || unknown],
    ["RELEASE", facts.release || unknown],
    ["VERSION", facts.version ?? unknown],
    ["MACHINE", facts.machine],
    ["MEMORY", facts.memoryBytes === null ? unknown : formatMemory(facts.memoryBytes)],
    ["PANIC", facts.panic === null ? "(none found)" : `"${facts.panic}"`],
  ];
  return rows.map(([label, value]) => `${label.padStart(12)}: ${printable(value)}\n`).join("");
}
