import type { GuardState, HoldBucket, StackUser } from "@spillway/guard";
import type { Terminal } from "../terminal.ts";
import { thousands } from "../text/hex.ts";
import { printable } from "../text/printable.ts";

type Look = Pick<Terminal, "width" | "colors" | "unicode">;
type Status = GuardState & { readonly tasks?: readonly StackUser[] };

/** Columns of a bar. */
const BAR = 16;

/** How full something is; what is not empty shows at least one mark. */
export function bar(part: number, whole: number, width: number, unicode: boolean): string {
  const share = whole <= 0 ? 0 : Math.min(1, Math.max(0, part / whole));
  const marks = share === 0 ? 0 : Math.max(1, Math.round(share * width));
  const [full, empty] = unicode ? ["█", "·"] : ["#", "."];
  return full.repeat(marks) + empty.repeat(width - marks);
}

/** Nanoseconds as a person reads them: `512 ns`, `1.5 µs`, `16.8 ms`, `2.1 s`. */
export function formatNs(ns: number, unicode: boolean): string {
  const units = ["ns", unicode ? "µs" : "us", "ms", "s"];
  let value = ns;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, "")} ${units[unit]}`;
}

/**
 * How long stacks are held at most, for a share of the switches: the upper end of the bucket that the share ends in.
 * @returns null where there was no switch
 */
export function holdWithin(hold: readonly HoldBucket[], share: number): number | null {
  const buckets = hold.toSorted((one, other) => one.atLeastNs - other.atLeastNs);
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  let seen = 0;
  for (const { atLeastNs, count } of buckets) {
    seen += count;
    if (count > 0 && seen >= share * total) return 2 * atLeastNs;
  }
  return null;
}

/** "+3" since the time before; nothing where there was none, or nothing new. */
function since(now: number, before: number | undefined): string {
  return before === undefined || now === before ? "" : ` (+${thousands(Math.max(0, now - before))})`;
}

function poolRows(state: GuardState, before: GuardState | null, unicode: boolean): [string, string][] {
  const { total, free, inUse, highWater, thresholdBytes, stackBytes, switches, refusals, deepestBytes } = state;
  const rows: [string, string][] = [
    [
      "stacks",
      `${inUse} of ${total} in use  ${bar(inUse, total, BAR, unicode)}  ${free} free, at most ${highWater} at once`,
    ],
    ["threshold", `${thousands(thresholdBytes)} of ${thousands(stackBytes)} bytes`],
    ["switches", `${thousands(switches)}${since(switches, before?.switches)}`],
    [
      "refusals",
      `${thousands(refusals)}${since(refusals, before?.refusals)}${refusals > 0 ? "  calls that failed with EIO: the pool was empty" : ""}`,
    ],
  ];
  if (deepestBytes !== null) {
    const used = bar(deepestBytes, stackBytes, BAR, unicode);
    rows.push(["deepest", `${thousands(deepestBytes)} bytes of an extra stack  ${used}`]);
  }
  const half = holdWithin(state.hold, 0.5);
  const most = holdWithin(state.hold, 0.99);
  const longest = holdWithin(state.hold, 1);
  if (half !== null && most !== null && longest !== null) {
    const [short, long, longer] = [half, most, longest].map((ns) => formatNs(ns, unicode));
    rows.push(["held", `half under ${short}, 99 % under ${long}, all under ${longer}`]);
  }
  if (state.migrated) rows.push(["migrated", `${thousands(state.migrated)} came back on another CPU`]);
  if (state.reaped) rows.push(["reaped", `${thousands(state.reaped)} stacks of tasks that died on them`]);
  return rows;
}

function pointTable(state: GuardState, before: GuardState | null, unicode: boolean): string {
  const width = Math.max(5, ...state.points.map(({ name }) => name.length));
  const header = `  ${"point".padEnd(width)}       calls  switches  refusals  deepest stack\n`;
  const rows = state.points.map((point) => {
    const counts = [
      thousands(point.calls).padStart(12),
      thousands(point.switches).padStart(10),
      thousands(point.refusals).padStart(10),
      thousands(point.deepestBytes).padStart(8),
    ];
    const earlier = before?.points.find(({ name }) => name === point.name);
    const depth = bar(point.deepestBytes, state.stackBytes, BAR, unicode);
    const mode = point.mode === "ipmodify" ? "  ipmodify" : "";
    return `  ${printable(point.name).padEnd(width)}${counts.join("")}  ${depth}${mode}${since(point.switches, earlier?.switches)}\n`;
  });
  return header + rows.join("");
}

function taskTable(tasks: readonly StackUser[]): string {
  if (tasks.length === 0) return "\n  no task sleeps on an extra stack\n";
  const rows = tasks.map(({ pid, name, levels, waitsIn }) => {
    const where = waitsIn === null ? "" : `  in ${printable(waitsIn)}`;
    return `  ${String(pid).padStart(8)}  ${printable(name).padEnd(16)} ${String(levels).padStart(6)}${where}\n`;
  });
  return `\n       PID  task             stacks\n${rows.join("")}`;
}

/** The state, for a person; with an earlier one also what is new since. */
export function formatStatus(state: Status, look: Look, before: GuardState | null = null): string {
  const { bold, yellow, red } = look.colors;
  const dot = look.unicode ? "·" : "-";
  const version = state.moduleVersion === null ? "" : ` ${printable(state.moduleVersion)}`;
  const title = `  ${bold(`spillway.ko${version}`)} ${dot} kernel ${printable(state.kernel)}\n\n`;
  const rows = poolRows(state, before, look.unicode).map(([label, text]) => {
    const line = `  ${label.padEnd(10)} ${text}`;
    return `${label === "refusals" && state.refusals > 0 ? red(line) : line}\n`;
  });
  const draining = state.draining
    ? `  ${yellow("draining   nobody switches: sudo spillway guard set drain off ends it")}\n`
    : "";
  const tasks = state.tasks === undefined ? "" : taskTable(state.tasks);
  return `${title}${rows.join("")}${draining}\n${pointTable(state, before, look.unicode)}${tasks}`;
}

/** The state as one line of a log. */
export function formatStatusLine(state: GuardState, before: GuardState | null, time: Date): string {
  const clock = time.toISOString().slice(0, 19);
  const { inUse, total, highWater, switches, refusals } = state;
  return (
    `${clock}Z in use ${inUse}/${total} (at most ${highWater}), ` +
    `switches ${switches}${since(switches, before?.switches)}, refusals ${refusals}${since(refusals, before?.refusals)}` +
    `${state.draining ? ", draining" : ""}\n`
  );
}
