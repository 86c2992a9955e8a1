/** Can the critical points be hooked: is ftrace on, are they there, does somebody else hold them? */
import type { Host } from "../host.ts";
import { type Finding, forbids, note, ok, unknown } from "./finding.ts";

const ENABLED = "/proc/sys/kernel/ftrace_enabled";
const TRACING = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] as const;

/** Who holds a function, from a line of enabled_functions: `vfs_read (1) R I D …`. */
export interface HeldFunction {
  readonly name: string;
  /** A direct call is there: a BPF trampoline mostly. */
  readonly direct: boolean;
  /** Its address is rewritten: a livepatch mostly. */
  readonly ipmodify: boolean;
}

/**
 * Those of `names` that enabled_functions lists as held by a direct call or an IPMODIFY hook. Its flags are single letters
 * after the count, until a `tramp:`, `ops:` or `direct-->` (kernel/trace/ftrace.c, t_show).
 */
export function heldFunctions(text: string, names: readonly string[]): HeldFunction[] {
  const wanted = new Set(names);
  const held: HeldFunction[] = [];
  for (const line of text.split("\n")) {
    const match = /^(\S+)(?: \[\w+\])? \((\d+)\)((?:\s+[A-Z](?=\s|$))*)/.exec(line);
    if (match === null || !wanted.has(match[1]!)) continue;
    const flags = match[3]!.split(/\s+/);
    const one = { name: match[1]!, direct: flags.includes("D"), ipmodify: flags.includes("I") };
    if (one.direct || one.ipmodify) held.push(one);
  }
  return held;
}

function enabled(host: Host): Finding {
  const value = host.word(ENABLED);
  if (value === null) return unknown("ftrace-enabled", "whether ftrace is switched on is not known");
  if (value !== "0") return ok("ftrace-enabled", "ftrace is switched on", ENABLED);
  return forbids(
    "ftrace-enabled",
    "ftrace is switched off (sysctl kernel.ftrace_enabled=0): no function can be hooked",
    ENABLED,
    "sudo sysctl kernel.ftrace_enabled=1, and see that /etc/sysctl.d does not set it to 0 again",
  );
}

/** The first tracing folder that has a file which can be read, with the file's text. */
function tracingFile(host: Host, name: string): { readonly text: string; readonly path: string } | null {
  for (const folder of TRACING) {
    const path = `${folder}/${name}`;
    const text = host.text(path);
    if (text !== null) return { text, path };
  }
  return null;
}

function traceable(host: Host, points: readonly string[]): Finding[] {
  const file = tracingFile(host, "available_filter_functions");
  if (file === null) return [];
  const there = new Set(file.text.split("\n").map((line) => line.split(" ")[0]!));
  const missing = points.filter((point) => !there.has(point));
  if (missing.length === 0) return [ok("points", "all default critical points can be hooked", file.path)];
  return [
    note(
      "points",
      `this kernel has no function to hook for ${missing.join(", ")}`,
      file.path,
      `load without: --points ${points.filter((point) => there.has(point)).join(",")}`,
    ),
  ];
}

function contended(host: Host, points: readonly string[]): Finding[] {
  const file = tracingFile(host, "enabled_functions");
  if (file === null) return [];
  const held = heldFunctions(file.text, points);
  const both = held.filter((one) => one.direct && one.ipmodify).map(({ name }) => name);
  if (both.length > 0) {
    return [
      note(
        "other-users",
        `both ways of hooking are taken for ${both.join(", ")} (a BPF program and a livepatch, mostly)`,
        file.path,
        "unload one of the two, or load with --points and leave these out",
      ),
    ];
  }
  if (held.length > 0) {
    const words = held.map(({ name, direct }) => `${name} (${direct ? "a direct call, BPF mostly" : "a livepatch"})`);
    return [note("other-users", `others hook ${words.join(", ")}; the module takes the way that is left`, file.path)];
  }
  return [ok("other-users", "nobody else holds a default critical point", file.path)];
}

/** @param points names of the critical points that would be hooked; empty to ask about none (they are ours already) */
export function ftraceFindings(host: Host, points: readonly string[]): Finding[] {
  if (points.length === 0) return [enabled(host)];
  return [enabled(host), ...traceable(host, points), ...contended(host, points)];
}
