/** The call chain as a table: each frame with what it rests on. */
import type { Diagnosis, DiagnosisFrame } from "@spillway/core";
import { thousands } from "../../text/hex.ts";
import { printable } from "../../text/printable.ts";
import { sharedReason } from "../frame-reasons.ts";
import { type Region, type StackRow, stackRows } from "../stack-rows.ts";
import { type Html, html, NOTHING } from "./html.ts";
import type { Anchors } from "./ids.ts";

/** A frame's place in the source, where debug information tells it. */
function sourceOf({ file, line }: DiagnosisFrame): string | null {
  return file == null ? null : `${file}${line == null ? "" : `:${line}`}`;
}

const REGIONS: Readonly<Record<Region, string>> = {
  this: "on the stack of the verdict",
  below: "past the low end of the stack",
  other: "on another stack",
};

function nameOf(frame: DiagnosisFrame): string {
  if (frame.function === null) return "(no known function)";
  const offset = frame.offset === null ? "" : `+0x${frame.offset.toString(16)}`;
  return printable(`${frame.function}${offset}${frame.module === null ? "" : ` [${frame.module}]`}`);
}

const PROVEN =
  "Proven: its return address stands where the unwind data says, follows a call, and that call can reach the frame below it. ";

/** Which columns have anything in them: a log knows few addresses. */
interface Columns {
  readonly source: boolean;
  readonly bytes: boolean;
  readonly sp: boolean;
  readonly address: boolean;
}

function columnsOf(diagnosis: Diagnosis, rows: readonly StackRow[]): Columns {
  const { frames } = diagnosis;
  return {
    source: frames.some((frame) => sourceOf(frame) !== null),
    bytes: rows.some((row) => row.kind === "frame" && row.bytes !== null),
    sp: frames.some((frame) => frame.sp !== null),
    address: frames.some((frame) => frame.address !== null),
  };
}

/** Columns from the function's on. */
function spanOf(columns: Columns): number {
  return 1 + Object.values(columns).filter(Boolean).length;
}

function frameRow(
  row: Extract<StackRow, { kind: "frame" | "inlined" }>,
  diagnosis: Diagnosis,
  anchors: Anchors,
  columns: Columns,
  shared: string | null,
): Html {
  const { frame } = row;
  const index = diagnosis.frames.indexOf(frame);
  // An inlined function has no frame of its own: all that is known of a place is known of the frame it is part of.
  const own = row.kind === "frame" ? row : null;
  const place = own === null ? null : anchors.frame(index);
  const sp = own === null || frame.sp === null ? "" : frame.sp.slice(2).padStart(16, "0");
  const inferred = frame.certainty === "inferred";
  const classes = [
    own?.culprit && diagnosis.verdict.kind !== "not-stack-related" && "culprit",
    own?.damaged && "hit",
    inferred && "inferred",
  ];
  return html`<tr class="${classes.filter(Boolean).join(" ")}"><td class="num">${index}</td><td class="mark${inferred && " inferred"}">${inferred ? "○" : "●"}<span class="sr"> ${frame.certainty}</span></td><th scope="row">${nameOf(frame)}${frame.inlined && html` <span class="tag">inlined</span>`}</th>${columns.source && html`<td class="source">${sourceOf(frame)}</td>`}${columns.bytes && html`<td class="num">${own?.bytes == null ? "" : thousands(own.bytes)}</td>`}${columns.sp && html`<td class="v">${place === null ? sp : html`<a href="#${place}">${sp}</a>`}</td>`}${columns.address && html`<td class="v dim">${frame.address === null ? "" : frame.address.slice(2).padStart(16, "0")}</td>`}</tr>${
    frame.why !== null &&
    frame.why !== shared &&
    html`
<tr class="reason"><td></td><td></td><td colspan="${spanOf(columns)}">${frame.why}</td></tr>`
  }
`;
}

function betweenWords(row: Extract<StackRow, { kind: "turns" | "elided" | "region" }>): string {
  if (row.kind === "region") return REGIONS[row.region];
  if (row.kind === "elided") return `… ${row.frames} more frames`;
  const each = row.bytesPerTurn === null ? "" : `, ${thousands(row.bytesPerTurn)} bytes a turn`;
  return `… the same again: ${thousands(row.turns)} turns in all${each}`;
}

export function framesSection(diagnosis: Diagnosis, anchors: Anchors): Html {
  if (diagnosis.frames.length === 0) return NOTHING;
  const shared = sharedReason(diagnosis.frames);
  const all = stackRows(diagnosis);
  const columns = columnsOf(diagnosis, all);
  const rows = all.map((row, index) => {
    // Where all begins needs no saying.
    if (row.kind === "region" && index === 0 && row.region === "this") return NOTHING;
    if (row.kind === "frame" || row.kind === "inlined") return frameRow(row, diagnosis, anchors, columns, shared);
    if (row.kind === "mark") return NOTHING;
    return html`<tr class="between"><td></td><td></td><td colspan="${spanOf(columns)}">${betweenWords(row)}</td></tr>
`;
  });
  const inferred = diagnosis.frames.filter((frame) => frame.certainty === "inferred").length;
  const total = diagnosis.frames.length;
  const words =
    inferred === 0
      ? total === 1
        ? "1 frame, proven"
        : `all ${total} frames proven`
      : `${total - inferred} proven, ${inferred} inferred`;
  return html`<section aria-labelledby="chain"><h2 id="chain">The chain of calls</h2>
<p class="note">Innermost first; ${words}. ${diagnosis.input.kind === "vmcore" && PROVEN}Inferred: ${shared ?? "recovered from what is left"}.</p>
<div class="scroll"><table class="frames"><thead><tr><th scope="col">#</th><th scope="col"><span class="sr">certainty</span></th><th scope="col">function</th>${columns.source && html`<th scope="col">source</th>`}${columns.bytes && html`<th scope="col" class="num">bytes</th>`}${columns.sp && html`<th scope="col">RSP</th>`}${columns.address && html`<th scope="col">address</th>`}</tr></thead><tbody>
${rows}</tbody></table></div></section>`;
}
