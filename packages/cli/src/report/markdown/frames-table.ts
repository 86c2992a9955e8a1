/** The call chain as a Markdown table. */
import type { Diagnosis, DiagnosisFrame } from "@spillway/core";
import { thousands } from "../../text/hex.ts";
import { sharedReason } from "../frame-reasons.ts";
import { type StackRow, stackRows } from "../stack-rows.ts";
import { codeSpan, escapeText } from "./escape.ts";

function nameOf(frame: DiagnosisFrame): string {
  if (frame.function === null) return "no known function";
  const offset = frame.offset === null ? "" : `+0x${frame.offset.toString(16)}`;
  return codeSpan(`${frame.function}${offset}${frame.module === null ? "" : ` [${frame.module}]`}`);
}

function sourceOf({ file, line }: DiagnosisFrame): string {
  return file == null ? "" : codeSpan(`${file}${line == null ? "" : `:${line}`}`);
}

function between(row: Extract<StackRow, { kind: "turns" | "elided" }>): string {
  if (row.kind === "elided") return `… ${row.frames} more frames`;
  const each = row.bytesPerTurn === null ? "" : `, ${thousands(row.bytesPerTurn)} bytes a turn`;
  return `… ${thousands(row.turns)} turns in all${each}`;
}

/** Empty for a diagnosis without frames. */
export function framesTable(diagnosis: Diagnosis): string {
  const { frames } = diagnosis;
  if (frames.length === 0) return "";
  const sources = frames.some((frame) => frame.file != null);
  const shared = sharedReason(frames);
  const columns = ["#", "", "function", ...(sources ? ["source"] : []), "bytes", "RSP", "address"];
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  const reasons: string[] = [];
  let text = line(columns) + line(columns.map((name) => (name === "bytes" || name === "#" ? "--:" : "---")));
  for (const row of stackRows(diagnosis)) {
    if (row.kind === "mark" || row.kind === "region") continue;
    if (row.kind === "turns" || row.kind === "elided") {
      text += line(["", "", between(row), ...columns.slice(3).map(() => "")]);
      continue;
    }
    const { frame } = row;
    const own = row.kind === "frame" ? row : null;
    const mark = frame.certainty === "inferred" ? "○" : "●";
    const bytes = own?.bytes == null ? "" : thousands(own.bytes);
    const culprit = own?.culprit === true && diagnosis.verdict.kind !== "not-stack-related" ? " **culprit**" : "";
    const name = `${nameOf(frame)}${frame.inlined ? " (inlined)" : ""}${culprit}`;
    const sp = own === null || frame.sp === null ? "" : codeSpan(frame.sp);
    const address = frame.address === null ? "" : codeSpan(frame.address);
    text += line([
      String(frames.indexOf(frame)),
      mark,
      name,
      ...(sources ? [sourceOf(frame)] : []),
      bytes,
      sp,
      address,
    ]);
    if (frame.why !== null && frame.why !== shared) reasons.push(`- ${nameOf(frame)}: ${escapeText(frame.why)}\n`);
  }
  const inferred = frames.some((frame) => frame.certainty === "inferred");
  const legend = inferred
    ? `\n● proven, ○ inferred${shared === null ? "" : `: ${escapeText(shared)}`}\n`
    : "\n● proven\n";
  return `${text}${legend}${reasons.length > 0 ? `\n${reasons.join("")}` : ""}`;
}
