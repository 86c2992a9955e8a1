/** What `budget top` prints. */
import type { BudgetLevel, TopRow } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { LEVEL_TITLES, named } from "./words.ts";

export interface TopOptions {
  readonly by: "depth" | "frame";
  readonly level: BudgetLevel;
}

export function formatTop(rows: readonly TopRow[], { by, level }: TopOptions, terminal: Terminal): string {
  const { colors } = terminal;
  const mark = (row: TopRow): string =>
    row.frameKind === "exact" ? "" : row.frameKind === "unknown" ? "not told" : row.frameKind.replace("-", " ");
  const heading = ["frame", "with all below", "function", ""].map((text) => ({ text, paint: colors.dim }));
  const lines = rows.map((row) => [
    { text: thousands(row.frameBytes), ...(by === "frame" ? { paint: colors.bold } : {}) },
    { text: thousands(row.depthBytes), ...(by === "depth" ? { paint: colors.bold } : {}) },
    named(row.function, row.module),
    { text: mark(row), paint: colors.dim },
  ]);
  const title = by === "frame" ? "The largest frames" : `The deepest functions, ${LEVEL_TITLES[level]}`;
  return `${colors.bold(`${title}, bytes of stack`)}\n${columns([heading, ...lines], ["right", "right", "left", "left"])}`;
}
