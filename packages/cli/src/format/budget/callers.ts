/** What `budget callers` prints. */
import type { BudgetLevel, Caller } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns, cutLast } from "../../text/columns.ts";
import { hex, thousands } from "../../text/hex.ts";
import { printable } from "../../text/printable.ts";
import { count, LEVEL_TITLES, named } from "./words.ts";

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

function how({ kind, certainty, slot, cut }: Caller): string {
  const jump = kind === "tail" || kind === "indirect-tail" ? "jump" : "";
  const edge = certainty === "proven" ? "" : `${certainty}, through ${slot}`;
  return [jump, edge, cut ? "upcall" : ""].filter((part) => part !== "").join(", ");
}
