/** One path, drawn as the stack that it fills. */
import type { BudgetLevel, DeepestPath, PathStep } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns, cutLast } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { printable } from "../../text/printable.ts";
import { LEVEL_TITLES, named } from "./words.ts";

export interface DrawnPath {
  /** "Deepest path from __x64_sys_write". */
  readonly title: string;
  readonly level: BudgetLevel;
  /** Bytes in use before the first step. */
  readonly baseBytes: number;
  /** What they are: "pt_regs and the entry's own". */
  readonly bytes: number;
  readonly stackBytes: number;
  readonly steps: readonly PathStep[];
  /** What of the path goes round again, and the deepest that does not go by the same upcalls again; see `DeepestPath`. */
  readonly again?: DeepestPath["again"];
  readonly noUpcallTwice?: DeepestPath["noUpcallTwice"];
  /** Names of critical points, to be marked; null where no plan was made. */
  readonly points?: ReadonlySet<string> | null;
}

/** Columns of the bar: in a wide terminal, in a narrow one, and where long names leave no room in that. */
const BAR = { wide: 24, narrow: 12, least: 6 };
const WIDE = 100;
/** What a table of a path takes beside its bar and its names, with a word's room for the slots. */
const BESIDE_NAMES = 40;

/** How a step came about, in few words; how sure it is, its mark says. */
function how(step: PathStep, again: boolean): string {
  const parts = [step.slot ?? "", step.cut ? "upcall" : "", again ? "again" : ""];
  return printable(parts.filter((part) => part !== "").join(", "));
}

export function formatPath(path: DrawnPath, terminal: Terminal): string {
  const { colors, unicode, width } = terminal;
  const columnsOfBar = barColumns(path, width);
  const [full, empty] = unicode ? ["█", "·"] : ["#", "."];
  const marks = { proven: unicode ? "●" : "*", typed: unicode ? "◐" : "+", assumed: unicode ? "○" : "o" };
  const point = unicode ? "◆" : "!";
  let used = path.baseBytes;
  const bar = (bytes: number): string => {
    const filled = Math.min(columnsOfBar, Math.round((columnsOfBar * bytes) / path.stackBytes));
    return `${full?.repeat(filled)}${empty?.repeat(columnsOfBar - filled)}`;
  };
  const again = new Set(path.again?.steps);
  const rows = path.steps.map((step, at) => {
    used += step.bytes;
    const over = used > path.stackBytes;
    const name = named(step.function, step.module);
    return [
      { text: thousands(used), ...(over ? { paint: colors.red } : {}) },
      { text: bar(used), paint: over ? colors.red : colors.dim },
      thousands(step.bytes),
      `${step.certainty === null ? marks.proven : marks[step.certainty]} ${name}${path.points?.has(name) ? ` ${point}` : ""}`,
      { text: how(step, again.has(at)), paint: colors.dim },
    ];
  });
  const heading = ["in use", "", "bytes", "function", "through"].map((text) => ({ text, paint: colors.dim }));
  const base =
    path.baseBytes === 0
      ? []
      : [[thousands(path.baseBytes), { text: bar(path.baseBytes), paint: colors.dim }, "", "(in use at the entry)"]];
  const table = columns(cutLast([heading, ...base, ...rows], 5, width), ["right", "left", "right", "left", "left"]);
  const kinds = `${marks.proven} proven   ${marks.typed} typed (its slot is known)   ${marks.assumed} assumed (its prototype fits)`;
  const hasPoint = path.steps.some((step) => path.points?.has(named(step.function, step.module)));
  const key = [colors.dim(kinds), ...repetition(path), ...(hasPoint ? [colors.dim(`${point} critical point`)] : [])];
  const title = `${printable(path.title)}: ${thousands(path.bytes)} of ${thousands(path.stackBytes)} bytes, ${LEVEL_TITLES[path.level]}`;
  return `${colors.bold(title)}\n${table}${key.map((line) => `  ${line}\n`).join("")}`;
}

function barColumns({ steps }: DrawnPath, width: number): number {
  if (width >= WIDE) return BAR.wide;
  const longest = Math.max(0, ...steps.map((step) => named(step.function, step.module).length));
  return longest + BESIDE_NAMES + BAR.narrow > width ? BAR.least : BAR.narrow;
}

/** How much of the path is repetition, which the bound's assumption lets it have; nothing where none is. */
function repetition({ again, noUpcallTwice }: DrawnPath): string[] {
  if (again === undefined || again.steps.length === 0) return [];
  const lines = [`again: in functions that are on the path already, ${thousands(again.bytes)} bytes in all`];
  if (noUpcallTwice)
    lines.push(`the deepest path that takes no upcall twice has ${thousands(noUpcallTwice.bytes)} bytes`);
  return lines;
}
