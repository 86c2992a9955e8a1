import type { SizeDocument, SizeStep } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns, type TableCell } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { formatNotes } from "./notes.ts";
import { formatBytes, formatMean, formatProbability } from "./numbers.ts";

type Look = Pick<Terminal, "width" | "colors" | "unicode">;

/** What `spillway simulate size` prints. */
export function formatSize(document: SizeDocument, look: Look): string {
  const { target, policy, offeredErlang, steps, notes } = document;
  const what = policy === "eio" ? "refused" : "have to wait";
  const rows = [
    ["target", `at most ${formatProbability(target)} ${what}`],
    ...(offeredErlang === null ? [] : [["offered", `${formatMean(offeredErlang)} erlang`]]),
    ["stacks", answer(document, look)],
  ];
  const table: (TableCell | string)[][] = [
    ["stacks", policy === "eio" ? "refused" : "waited", "99 % interval", "count", "of", ""],
    ...steps.map((step) => row(step, look)),
  ];
  const alignments = ["right", "right", "left", "right", "right", "left"] as const;
  return `${columns(rows, ["left", "left"])}\n${columns(table, alignments)}${formatNotes(notes, look)}`;
}

function answer({ stacks, basis, formula, memory, shownEnough }: SizeDocument, { colors }: Look): string {
  if (stacks === null || memory === null) return colors.red("no size could be shown to be enough");
  const why =
    basis === "formula"
      ? `by the ${formula!.name} formula${shownEnough === null ? "" : `; simulation alone proves ${shownEnough}`}`
      : "the whole interval is below the target";
  return `${colors.bold(thousands(stacks))}, ${formatBytes(memory.bytes)} of memory: ${why}`;
}

const VERDICTS = { enough: "enough", "too-few": "too few", undecided: "undecided" } as const;

function row(
  { stacks, probability, ci99, count, attempts, verdict }: SizeStep,
  { colors }: Look,
): (TableCell | string)[] {
  const paint = { enough: colors.green, "too-few": colors.red, undecided: colors.yellow }[verdict];
  const told = { text: VERDICTS[verdict], paint };
  if (probability === null) return [`${stacks}`, "-", "no steady state", "", thousands(attempts), told];
  const interval = `${formatProbability(ci99[0])} to ${formatProbability(ci99[1])}`;
  return [`${stacks}`, formatProbability(probability), interval, thousands(count), thousands(attempts), told];
}
