import { type Column, markdownTable, textTable } from "../lib/table.ts";
import type { Outcome } from "./comparison.ts";

/** Everything a reader needs to judge the figures; `--json` prints just this. */
export interface Comparison {
  readonly schema: "spillway/bench-compare@1";
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGiB: number };
  readonly dump: { readonly path: string; readonly bytes: number };
  readonly vmlinux: { readonly path: string; readonly bytes: number } | null;
  readonly runs: number;
  readonly outcomes: readonly Outcome[];
}

const COLUMNS: Column[] = [
  { title: "tool", align: "left" },
  { title: "prints", align: "left" },
  { title: "time, median", align: "right" },
  { title: "min - max", align: "right" },
  { title: "peak RSS, median", align: "right" },
  { title: "min - max", align: "right" },
  { title: "time / drgn", align: "right" },
  { title: "RSS / drgn", align: "right" },
];

export function textReport(comparison: Comparison): string {
  return [caption(comparison), "", textTable(COLUMNS, comparison.outcomes.map(row)), ...notes(comparison), ""].join(
    "\n",
  );
}

export function markdownReport(comparison: Comparison): string {
  const table = markdownTable(COLUMNS, comparison.outcomes.map(row));
  return [caption(comparison), "", table, ...notes(comparison).map((line) => `\n${line}`), ""].join("\n");
}

function caption({ machine, dump, vmlinux, runs }: Comparison): string {
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const symbols = vmlinux === null ? "no vmlinux" : `vmlinux of ${mib(vmlinux.bytes)} (for drgn and crash alone)`;
  return (
    `Command to backtrace: ${fileName(dump.path)}, ${mib(dump.bytes)}; ${symbols}; ` +
    `${runs} interleaved runs each after one that does not count; ${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB.`
  );
}

/** A tool without figures is in the table, and here with the reason. */
function notes({ outcomes }: Comparison): string[] {
  return outcomes.flatMap((outcome) =>
    outcome.status === "measured" ? [] : [`${outcome.tool}: ${outcome.status}: ${outcome.reason}`],
  );
}

function row(outcome: Outcome): string[] {
  if (outcome.status !== "measured") return [outcome.tool, outcome.status];
  const { seconds, peakKiB, againstDrgn } = outcome;
  const s = (value: number) => value.toFixed(value < 1 ? 3 : 2);
  const mib = (kib: number) => (kib / 1024).toFixed(0);
  const ratio = (value: number | null | undefined) => (value == null ? "?" : value.toFixed(2));
  return [
    `${outcome.tool} ${outcome.version}`,
    outcome.gives,
    `${s(seconds.median)} s`,
    `${s(seconds.min)} - ${s(seconds.max)}`,
    peakKiB === null ? "not measured" : `${mib(peakKiB.median)} MiB`,
    peakKiB === null ? "" : `${mib(peakKiB.min)} - ${mib(peakKiB.max)}`,
    ratio(againstDrgn?.time),
    ratio(againstDrgn?.memory),
  ];
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
