/** What `budget callers` prints. */
import type { BudgetLevel, Caller, EntryThrough } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns, cutLast } from "../../text/columns.ts";
import { hex, thousands } from "../../text/hex.ts";
import { printable } from "../../text/printable.ts";
import { count, ENTRY_TITLES, LEVEL_TITLES, named } from "./words.ts";

export interface CallersOptions {
  readonly limit: number;
  readonly level: BudgetLevel;
}

export function formatCallers(
  name: string,
  callers: readonly Caller[],
  { limit, level }: CallersOptions,
  terminal: Terminal,
): string {
  const { colors } = terminal;
  const title = `${count(callers.length, "call")} of ${printable(name)}, ${LEVEL_TITLES[level]}`;
  if (callers.length === 0) return `${colors.bold(title)}\n`;
  const heading = ["in use", "caller", ""].map((text) => ({ text, paint: colors.dim }));
  const rows = callers
    .slice(0, limit)
    .map((caller) => [
      caller.inUseBytes === null ? "not reached" : thousands(caller.inUseBytes),
      `${named(caller.function, caller.module)}+${hex(caller.offset)}`,
      { text: printable(how(caller)), paint: colors.dim },
    ]);
  const left = callers.length - rows.length;
  const more = left === 0 ? "" : `  ${colors.dim(`and ${thousands(left)} more (-n)`)}\n`;
  return `${colors.bold(title)}\n${columns(cutLast([heading, ...rows], 3, terminal.width), ["right", "left", "left"])}${more}`;
}

/** What `budget callers --entries` prints. */
export function formatEntriesThrough(
  name: string,
  entries: readonly EntryThrough[],
  { limit, level }: CallersOptions,
  terminal: Terminal,
): string {
  const { colors } = terminal;
  const deepest = entries.filter(({ onDeepestPath }) => onDeepestPath).length;
  const lead = `${count(entries.length, "entry leads", "entries lead")} to ${printable(name)}, ${LEVEL_TITLES[level]}`;
  if (entries.length === 0) return `${colors.bold(lead)}\n`;
  const heading = ["bound", "entry", "kind", ""].map((text) => ({ text, paint: colors.dim }));
  const rows = entries
    .slice(0, limit)
    .map(({ entry, module, kind, boundBytes, onDeepestPath }) => [
      thousands(boundBytes),
      named(entry, module),
      ENTRY_TITLES[kind],
      { text: onDeepestPath ? "on its deepest path" : "", paint: colors.dim },
    ]);
  const left = entries.length - rows.length;
  const more = left === 0 ? "" : `  ${colors.dim(`and ${thousands(left)} more (-n)`)}\n`;
  const title = `${lead}; on the deepest path of ${thousands(deepest)}`;
  return `${colors.bold(title)}\n${columns(cutLast([heading, ...rows], 4, terminal.width), ["right", "left", "left", "left"])}${more}`;
}

function how({ kind, certainty, slot, cut }: Caller): string {
  const jump = kind === "tail" || kind === "indirect-tail" ? "jump" : "";
  const edge = certainty === "proven" ? "" : `${certainty}, through ${slot}`;
  return [jump, edge, cut ? "upcall" : ""].filter((part) => part !== "").join(", ");
}
