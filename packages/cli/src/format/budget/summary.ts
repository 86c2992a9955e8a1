/** What `budget` prints: the deepest entries, what their bounds rest on, and what is not known. */
import {
  atLevel,
  BUDGET_LEVELS,
  type BudgetEntry,
  type BudgetLevel,
  type BudgetSummary,
  type ByLevel,
  type PathStep,
} from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns, cutLast, type TableCell } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { printable } from "../../text/printable.ts";
import { wrap } from "../../text/wrap.ts";
import { count, ENTRY_TITLES, LEVEL_TITLES, named, share } from "./words.ts";

/** From so many columns on, tables show everything. */
const WIDE = 112;

export interface SummaryOptions {
  /** Entries in the table. */
  readonly limit: number;
  /** The level that orders them. */
  readonly level: BudgetLevel;
  /** Bounds over that many bytes are marked; null: over the size of a stack. */
  readonly maxBytes: number | null;
}

export function formatBudget(document: BudgetSummary, options: SummaryOptions, terminal: Terminal): string {
  const { colors, width } = terminal;
  const { kernel, totals, stackBytes } = document;
  const { modules } = document.totals;
  const what = `Stack budget of Linux ${printable(kernel.release ?? "(release unknown)")}`;
  const from = `${printable(kernel.name)} (${kernel.source}${modules > 0 ? `, ${count(modules, "module")}` : ""})`;
  const { typed, assumed } = totals.callees;
  const resolved = (level: BudgetLevel): string =>
    share(totals.indirectCalls - atLevel(document.unresolved.calls, level), totals.indirectCalls);
  const facts = [
    ["functions", thousands(totals.functions)],
    ["calls", `${thousands(totals.calls)}, of them ${thousands(totals.indirectCalls)} indirect`],
    [
      "indirect",
      `${resolved("slot-matched")} resolved by slot, ${resolved("prototype-matched")} by prototype or arguments too`,
    ],
    [
      "callees",
      `${typed.mean.toFixed(1)} on average by slot (${thousands(typed.largest)} at most), ` +
        `${assumed.mean.toFixed(1)} by prototype (${thousands(assumed.largest)})`,
    ],
    ["stack", `${thousands(stackBytes)} bytes`],
  ];
  const parts = [
    `${colors.bold(what)}\n${colors.dim(from)}\n`,
    columns(
      facts.map(([name, value]) => [{ text: name as string, paint: colors.dim }, value as string]),
      ["left", "left"],
    ),
    entriesTable(document, options, terminal),
    cyclesPart(document, options, terminal),
    interruptsPart(document, terminal),
    unresolvedPart(document, options, terminal),
    ...document.problems.map((problem) =>
      wrap(`note: ${printable(problem)}`, width)
        .map((line) => `${line}\n`)
        .join(""),
    ),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

/** The deepest first, by the bounds of a level. */
export function deepestEntries(document: BudgetSummary, level: BudgetLevel): BudgetEntry[] {
  return document.entries.toSorted((a, b) => atLevel(b.bounds, level) - atLevel(a.bounds, level));
}

function entriesTable(document: BudgetSummary, options: SummaryOptions, terminal: Terminal): string {
  const { colors } = terminal;
  const { level, limit } = options;
  const limitBytes = options.maxBytes ?? document.stackBytes;
  const shown = deepestEntries(document, level).slice(0, limit);
  if (shown.length === 0) return "No entries were found.\n";
  const bound = (bounds: ByLevel<number>, at: BudgetLevel): TableCell => {
    const bytes = atLevel(bounds, at);
    const text = thousands(bytes);
    return bytes > limitBytes ? { text, paint: colors.red } : at === level ? { text, paint: colors.bold } : { text };
  };
  // In a narrow terminal the largest frame goes, levels are told in one word, and the stack where it is no task's.
  const wide = terminal.width >= WIDE;
  const levels = BUDGET_LEVELS.map((one) => (wide ? LEVEL_TITLES[one] : one.replace("-matched", "")));
  const heading = ["entry", "kind", ...(wide ? ["stack"] : []), ...levels, ...(wide ? ["largest frame"] : [])];
  const rows = shown.map((entry) => {
    const largest = entry.path.reduce<PathStep | null>(
      (most, step) => (step.bytes > (most?.bytes ?? 0) ? step : most),
      null,
    );
    const kind = ENTRY_TITLES[entry.kind];
    const bounds = BUDGET_LEVELS.map((one) => bound(entry.bounds, one));
    const name = named(entry.name, entry.module);
    if (!wide) return [name, entry.stack === "task" ? kind : `${kind} (${entry.stack})`, ...bounds];
    const frame = largest === null ? "" : `${thousands(largest.bytes)} ${named(largest.function, largest.module)}`;
    return [name, kind, entry.stack, ...bounds, { text: frame, paint: colors.dim }];
  });
  const over = document.entries.filter((entry) => atLevel(entry.bounds, level) > limitBytes).length;
  const title =
    `The deepest ${thousands(shown.length)} of ${count(document.entries.length, "entry", "entries")}, ` +
    `bytes of stack, by ${LEVEL_TITLES[level]} bounds`;
  const overText =
    over === 0
      ? `None is over ${thousands(limitBytes)} bytes.`
      : colors.red(`${count(over, "entry is", "entries are")} over ${thousands(limitBytes)} bytes.`);
  const numbers = ["right", "right", "right"] as const;
  const lines = [heading.map((text) => ({ text, paint: colors.dim })), ...rows];
  const table = columns(
    wide ? cutLast(lines, heading.length, terminal.width) : lines,
    wide ? ["left", "left", "left", ...numbers, "left"] : ["left", "left", ...numbers],
  );
  return `${colors.bold(title)}\n${table}  ${overText}\n`;
}

function cyclesPart(document: BudgetSummary, { level }: SummaryOptions, terminal: Terminal): string {
  const { colors, width } = terminal;
  const cycles = document.cycles.filter((cycle) => cycle.level === level);
  if (cycles.length === 0) return "";
  const cut = cycles.reduce((sum, cycle) => sum + cycle.cutEdgeCount, 0);
  const assumption =
    document.rounds === 0
      ? `The bounds assume that none of ${count(cut, "upcall")} is taken`
      : `The bounds let a path take ${count(document.rounds, "upcall")}, of ${thousands(cut)}`;
  const largest = cycles.toSorted((a, b) => b.functionCount - a.functionCount).slice(0, 5);
  const rows = largest.map((cycle) => {
    const edge = cycle.cutEdges[0];
    return [
      count(cycle.functionCount, "function"),
      `${count(cycle.cutEdgeCount, "call")} cut`,
      `${thousands(cycle.roundBytes)} bytes a round`,
      edge === undefined
        ? ""
        : printable(`${edge.caller} → ${edge.callee}${edge.slot === null ? "" : ` (${edge.slot})`}`),
    ];
  });
  const lines = wrap(
    `${assumption}: calls back into the layers above. Another round adds what stands below.`,
    width - 2,
  ).map((line) => `  ${line}\n`);
  return `${colors.bold(`Recursion: ${count(cycles.length, "cycle")} at the ${LEVEL_TITLES[level]} level`)}\n${lines.join("")}${columns(
    cutLast(rows, 4, width),
    ["right", "right", "right", "left"],
  )}`;
}

function interruptsPart(document: BudgetSummary, terminal: Terminal): string {
  if (document.interrupts.length === 0) return "";
  const { colors, width } = terminal;
  const rows = document.interrupts
    .toSorted((a, b) => b.bytes.slotMatched - a.bytes.slotMatched)
    .slice(0, 6)
    .map((one) => [
      printable(one.name),
      thousands(one.bytes.slotMatched),
      one.extent === "whole" ? "all of it" : "its entry",
      { text: printable(one.why), paint: colors.dim },
    ]);
  return `${colors.bold("May land on top of any path, in no bound above")}\n${columns(cutLast(rows, 4, width), ["left", "right", "left", "left"])}`;
}

function unresolvedPart(document: BudgetSummary, { level }: SummaryOptions, terminal: Terminal): string {
  const { colors } = terminal;
  const { unresolved } = document;
  const calls = atLevel(unresolved.calls, level);
  const rows = [
    [thousands(calls), `indirect calls of which the ${LEVEL_TITLES[level]} level knows no callee`],
    [thousands(unresolved.unknownTargets), "direct calls and jumps to no known function"],
    [thousands(unresolved.atLeastDepths), "frames of a size that the code computes (counted without it)"],
    [thousands(unresolved.unknownDepths), "calls and frames whose bytes nothing tells"],
  ].filter(([number]) => number !== "0");
  if (rows.length === 0) return "";
  return `${colors.bold("Not known")}\n${columns(rows, ["right", "left"])}`;
}
