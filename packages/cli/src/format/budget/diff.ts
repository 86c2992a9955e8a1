/** What `budget diff` prints: what has grown between two kernels. */
import { atLevel, type BudgetDiff, type BudgetLevel } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns, type TableCell } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { printable } from "../../text/printable.ts";
import { count, ENTRY_TITLES, LEVEL_TITLES, named } from "./words.ts";

export interface DiffOptions {
  readonly limit: number;
  readonly level: BudgetLevel;
}

function grown(bytes: number, { colors }: Terminal): TableCell {
  const text = `${bytes > 0 ? "+" : ""}${thousands(bytes)}`;
  return { text, paint: bytes > 0 ? colors.red : colors.green };
}

function sized(bytes: number | null): string {
  return bytes === null ? "-" : thousands(bytes);
}

/** The most changed at both ends: those that grew most, and those that shrank most. */
function ends<T>(sorted: readonly T[], limit: number): readonly T[] {
  if (sorted.length <= limit) return sorted;
  const first = Math.ceil((2 * limit) / 3);
  return [...sorted.slice(0, first), ...sorted.slice(sorted.length - (limit - first))];
}

type Row = readonly (string | TableCell)[];

export function formatDiff(diff: BudgetDiff, { limit, level }: DiffOptions, terminal: Terminal): string {
  const { colors } = terminal;
  const dim = (text: string): TableCell => ({ text, paint: colors.dim });
  const kernel = (one: BudgetDiff["old"]): string => printable(one.release ?? one.name);
  const changed = diff.entries
    .filter(({ bounds }) => atLevel(bounds, level).growth !== 0)
    .toSorted((a, b) => atLevel(b.bounds, level).growth - atLevel(a.bounds, level).growth);
  const inBoth = changed.filter(
    ({ bounds }) => atLevel(bounds, level).old !== null && atLevel(bounds, level).new !== null,
  );
  const added = changed.filter(({ bounds }) => atLevel(bounds, level).old === null);
  const gone = changed.length - inBoth.length - added.length;
  const entryRows = ends(inBoth, limit).map(({ name, module, kind, bounds }) => {
    const change = atLevel(bounds, level);
    const place = `${sized(change.old)} → ${sized(change.new)}`;
    return [grown(change.growth, terminal), place, named(name, module), dim(ENTRY_TITLES[kind])];
  });
  const addedRows = added
    .slice(0, limit)
    .map(({ name, module, kind, bounds }) => [
      sized(atLevel(bounds, level).new),
      named(name, module),
      dim(ENTRY_TITLES[kind]),
    ]);
  const frameRows = ends(diff.frames, limit).map((frame) => [
    grown(frame.growth, terminal),
    `${sized(frame.old)} → ${sized(frame.new)}`,
    named(frame.name, frame.module),
  ]);
  const cycles = diff.newCycles.filter((cycle) => cycle.level === level);
  const parts = [
    `${colors.bold(`From ${kernel(diff.old)} to ${kernel(diff.new)}`)}\n` +
      `  ${count(diff.added, "function")} new, ${thousands(diff.removed)} gone\n`,
  ];
  const part = (title: string, rows: readonly Row[]): void => {
    if (rows.length > 0) parts.push(`${colors.bold(title)}\n${columns(rows, ["right", "left", "left", "left"])}`);
  };
  part(`${count(inBoth.length, "entry", "entries")} of another bound, ${LEVEL_TITLES[level]}`, entryRows);
  part(`${count(added.length, "new entry", "new entries")}`, addedRows);
  if (gone > 0) parts.push(`${colors.bold(`${count(gone, "entry", "entries")} gone`)}\n`);
  part(`${count(diff.frames.length, "frame")} of another size`, frameRows);
  const cycleRows = cycles
    .toSorted((a, b) => b.roundBytes - a.roundBytes)
    .slice(0, limit)
    .map((cycle) => [
      `${thousands(cycle.roundBytes)} bytes a round`,
      printable(cycle.functions.slice(0, 4).join(", ")),
    ]);
  part(`${count(cycles.length, "cycle")} with functions that were in none before`, cycleRows);
  if (parts.length === 1) parts.push("No bound, no frame and no cycle has changed.\n");
  return parts.join("\n");
}
