/** The report as Markdown: to be pasted into a bug tracker. */
import type { Diagnosis, StackMap } from "@spillway/core";
import pc from "picocolors";
import { formatDate } from "../../format/time.ts";
import { hex16, thousands } from "../../text/hex.ts";
import { VERSION } from "../../version.ts";
import { changelogLines } from "../changelog-section.ts";
import { type DamageBytes, damageBytes, hexByte, textByte } from "../damage-bytes.ts";
import { damageWords } from "../damage-words.ts";
import { UNICODE } from "../glyphs.ts";
import { drawStack } from "../stack-drawing.ts";
import { CONFIDENCES, culpritName, verdictTitle } from "../words.ts";
import { codeSpan, escapeText, fenced } from "./escape.ts";
import { framesTable } from "./frames-table.ts";

export interface MarkdownReport {
  readonly diagnosis: Diagnosis;
  readonly map: StackMap | null;
  /** The command that says the same. */
  readonly command: string;
}

/** Columns of the drawing; wider, and trackers scroll sideways. */
const WIDTH = 100;

function section(title: string, body: string): string {
  return body === "" ? "" : `\n## ${title}\n\n${body}`;
}

function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}\n`).join("");
}

function facts(diagnosis: Diagnosis): string {
  const { verdict, panic, kernel } = diagnosis;
  const rows: [string, string | null][] = [
    [
      verdict.kind === "not-stack-related" ? "raised in" : "culprit",
      verdict.culprit === null ? null : culpritName(verdict.culprit),
    ],
    ["panic", panic.message],
    ["task", panic.comm === null ? null : `${panic.comm}${panic.pid === null ? "" : ` (PID ${panic.pid})`}`],
    ["CPU", panic.cpu === null ? null : String(panic.cpu)],
    ["kernel", [kernel.release, kernel.arch].filter((one) => one !== null).join(" ") || null],
    ["crashed", kernel.crashTime === null ? null : formatDate(new Date(kernel.crashTime))],
  ];
  const known = rows.flatMap(([name, value]) => (value === null ? [] : [`| ${name} | ${codeSpan(value)} |\n`]));
  return known.length === 0 ? "" : `\n| | |\n| --- | --- |\n${known.join("")}`;
}

function drawing(diagnosis: Diagnosis): string {
  if (diagnosis.frames.length === 0) return "";
  const { stack } = diagnosis;
  const colors = pc.createColors(false);
  const plain = {
    width: WIDTH,
    interactive: false,
    unicode: true,
    colors,
    errorColors: colors,
    write() {},
    writeError() {},
  };
  const size = stack === null ? 0 : Number(BigInt(stack.high) - BigInt(stack.low));
  const used =
    stack === null ? "" : `${stack.kind} stack, ${thousands(stack.usedBytes)} of ${thousands(size)} bytes used\n\n`;
  return used + fenced(drawStack(diagnosis, plain, UNICODE));
}

/** The damaged bytes stand between brackets. */
function hexdump(damage: DamageBytes): string {
  const lines = damage.lines.map((line) => {
    if ("leftOut" in line) return `… ${thousands(line.leftOut)} bytes more …`;
    let bytes = "";
    line.bytes.forEach((byte, index) => {
      const at = line.address + BigInt(index);
      const edge = at === damage.from ? "[" : at === damage.to ? "]" : " ";
      bytes += `${index === 8 ? " " : ""}${edge}${hexByte(byte)}`;
    });
    return `${hex16(line.address)} ${bytes}  ${line.bytes.map(textByte).join("")}`;
  });
  return fenced(lines.join("\n"));
}

function damage(diagnosis: Diagnosis, map: StackMap | null): string {
  const sentences = damageWords(diagnosis).map(
    (sentence) =>
      `${sentence.map((part) => (typeof part === "string" ? escapeText(part) : codeSpan(part.code))).join("")}\n`,
  );
  const bytes = damageBytes(diagnosis, map);
  return [...sentences, ...(bytes === null ? [] : [hexdump(bytes)])].join("\n");
}

function evidence(diagnosis: Diagnosis): string {
  const items = diagnosis.evidence.map((item, index) => {
    const address = item.address === null ? "" : `${codeSpan(item.address)} `;
    return `${index + 1}. ${address}${escapeText(item.text)}\n`;
  });
  return items.join("");
}

export function renderMarkdown({ diagnosis, map, command }: MarkdownReport): string {
  const { kind, cause, confidence, summary, culprit } = diagnosis.verdict;
  const sure = kind === "undetermined" ? "" : ` (${CONFIDENCES[confidence]})`;
  const where = culprit === null ? "" : ` in ${escapeText(culprit.function)}`;
  const alternatives = diagnosis.alternatives.map(
    (one) => `**${verdictTitle(one.kind, null)}** (${CONFIDENCES[one.confidence]}): ${escapeText(one.why)}`,
  );
  const changes = diagnosis.changelog === undefined ? [] : changelogLines(diagnosis.changelog);
  return [
    `# ${verdictTitle(kind, cause)}${where}${sure}\n\n${escapeText(summary)}\n`,
    facts(diagnosis),
    section("The stack", drawing(diagnosis)),
    section("The damage", damage(diagnosis, map)),
    section("Evidence", evidence(diagnosis)),
    section("Also possible", bullets(alternatives)),
    section("Not known", bullets(diagnosis.missing.map(escapeText))),
    section("What to do", bullets(diagnosis.advice.map(escapeText))),
    section("Changes since", bullets(changes.map(escapeText))),
    section("The chain of calls", framesTable(diagnosis)),
    `\nMade by Spillway ${VERSION}: ${codeSpan(command)}\n`,
  ].join("");
}
