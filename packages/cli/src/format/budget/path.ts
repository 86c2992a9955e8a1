/** One path, drawn as the stack that it fills. */
import type { BudgetLevel, PathStep } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns } from "../../text/columns.ts";
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
}

const BAR = 24;

/** How a step came about, in few words. */
function how(step: PathStep): string {
  if (step.certainty === null) return "";
  const parts = [
    step.certainty === "proven" ? "" : step.certainty,
    step.slot === null ? "" : `through ${step.slot}`,
    step.cut ? "once more round a cycle" : "",
  ];
  return printable(parts.filter((part) => part !== "").join(", "));
}

export function formatPath(path: DrawnPath, terminal: Terminal): string {
  const { colors, unicode } = terminal;
  const [full, empty] = unicode ? ["█", "·"] : ["#", "."];
  const marks = { proven: unicode ? "●" : "*", typed: unicode ? "◐" : "+", assumed: unicode ? "○" : "o" };
  let used = path.baseBytes;
  const bar = (bytes: number): string => {
    const filled = Math.min(BAR, Math.round((BAR * bytes) / path.stackBytes));
    return `${full?.repeat(filled)}${empty?.repeat(BAR - filled)}`;
  };
  const rows = path.steps.map((step) => {
    used += step.bytes;
    const over = used > path.stackBytes;
    return [
      { text: thousands(used), ...(over ? { paint: colors.red } : {}) },
      { text: bar(used), paint: over ? colors.red : colors.dim },
      thousands(step.bytes),
      `${step.certainty === null ? marks.proven : marks[step.certainty]} ${named(step.function, step.module)}`,
      { text: how(step), paint: colors.dim },
    ];
  });
  const heading = ["in use", "", "bytes", "function", ""].map((text) => ({ text, paint: colors.dim }));
  const base =
    path.baseBytes === 0
      ? []
      : [[thousands(path.baseBytes), { text: bar(path.baseBytes), paint: colors.dim }, "", "(in use at the entry)"]];
  const kinds = `${marks.proven} proven   ${marks.typed} typed (its slot is known)   ${marks.assumed} assumed (its prototype fits)`;
  const title = `${printable(path.title)}: ${thousands(path.bytes)} of ${thousands(path.stackBytes)} bytes, ${LEVEL_TITLES[path.level]}`;
  return `${colors.bold(title)}\n${columns([heading, ...base, ...rows], ["right", "left", "right", "left", "left"])}  ${colors.dim(kinds)}\n`;
}
