/** What `budget diff` prints: what has grown between two kernels. */
import { atLevel, BUDGET_LEVELS, type BudgetDiff, type BudgetLevel, type DeepestEntry } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns, type TableCell } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { printable } from "../../text/printable.ts";
import { wrap } from "../../text/wrap.ts";
import { count, ENTRY_TITLES, LEVEL_TITLES, named } from "./words.ts";

export interface DiffOptions {
  readonly limit: number;
  readonly level: BudgetLevel;
}

type Row = readonly (string | TableCell)[];

function grown(bytes: number, { colors }: Terminal): TableCell {
  const text = `${bytes > 0 ? "+" : ""}${thousands(bytes)}`;
  return { text, paint: bytes > 0 ? colors.red : colors.green };
}

function sized(bytes: number | null): string {
  return bytes === null ? "-" : thousands(bytes);
}

/** The most changed at both ends: those that grew most, and those that shrank most; a row of dots between them. */
function ends(sorted: readonly Row[], limit: number): readonly Row[] {
  if (sorted.length <= limit) return sorted;
  const first = Math.ceil((2 * limit) / 3);
  return [...sorted.slice(0, first), ["…"], ...sorted.slice(sorted.length - (limit - first))];
}

/** ": 3 grown, 1 shrunk". */
function directions(changes: readonly number[]): string {
  const up = changes.filter((growth) => growth > 0).length;
  const parts = [up > 0 && `${thousands(up)} grown`, up < changes.length && `${thousands(changes.length - up)} shrunk`];
  return changes.length < 2 ? "" : `: ${parts.filter((part) => part !== false).join(", ")}`;
}

function deepest(one: DeepestEntry | null): string {
  return one === null ? "none" : `${thousands(one.bytes)} (${named(one.name, one.module)})`;
}

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
  const entryRows = inBoth.map(({ name, module, kind, bounds }) => {
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
  const frameRows = diff.frames.map((frame) => [
    grown(frame.growth, terminal),
    `${sized(frame.old)} → ${sized(frame.new)}`,
    named(frame.name, frame.module),
  ]);
  const cycles = diff.newCycles.filter((cycle) => cycle.level === level);
  const before = atLevel(diff.deepest, level);
  const same = JSON.stringify(before.old) === JSON.stringify(before.new);
  const most = same ? deepest(before.new) : `${deepest(before.old)} → ${deepest(before.new)}`;
  const parts = [
    `${colors.bold(`From ${kernel(diff.old)} to ${kernel(diff.new)}`)}\n` +
      `  ${count(diff.added, "function")} new, ${thousands(diff.removed)} gone\n` +
      wrap(`the deepest on a task's stack: ${most}, ${LEVEL_TITLES[level]}`, terminal.width - 2)
        .map((line) => `  ${line}\n`)
        .join(""),
  ];
  const part = (title: string, rows: readonly Row[]): void => {
    if (rows.length > 0) parts.push(`${colors.bold(title)}\n${columns(rows, ["right", "left", "left", "left"])}`);
  };
  const growth = inBoth.map(({ bounds }) => atLevel(bounds, level).growth);
  const title = `${count(inBoth.length, "entry", "entries")} of another bound, ${LEVEL_TITLES[level]}${directions(growth)}`;
  part(title, ends(entryRows, limit));
  part(`${count(added.length, "new entry", "new entries")}`, addedRows);
  if (gone > 0) parts.push(`${colors.bold(`${count(gone, "entry", "entries")} gone`)}\n`);
  if (changed.length === 0 && diff.frames.length > 0) parts.push(unmoved(diff, level));
  const sizes = directions(diff.frames.map((frame) => frame.growth));
  part(`${count(diff.frames.length, "frame")} of another size${sizes}`, ends(frameRows, limit));
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

/** Frames changed, and none on the deepest path of an entry by enough. */
function unmoved({ entries }: BudgetDiff, level: BudgetLevel): string {
  const others = BUDGET_LEVELS.flatMap((other) => {
    const moved = entries.filter(({ bounds }) => atLevel(bounds, other).growth !== 0).length;
    return other === level || moved === 0 ? [] : [`${thousands(moved)} with --level ${other}`];
  });
  const elsewhere = others.length === 0 ? "" : `; ${others.join(", ")}`;
  return `No entry is of another bound, ${LEVEL_TITLES[level]}${elsewhere}\n`;
}
