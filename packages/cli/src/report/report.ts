import { type Diagnosis, withoutInlined } from "@spillway/core";
import { formatDate } from "../format/time.ts";
import type { Terminal } from "../terminal.ts";
import { thousands } from "../text/hex.ts";
import { printable } from "../text/printable.ts";
import { wrap } from "../text/wrap.ts";
import { changelogLines } from "./changelog-section.ts";
import { ASCII, type Glyphs, UNICODE } from "./glyphs.ts";
import { drawStack } from "./stack-drawing.ts";
import { CONFIDENCES, culpritName, verdictTitle } from "./words.ts";

/** Text under a hanging label: `  label    text …`, further lines under the text. */
function labelled(label: string, text: string, indent: number, width: number): string {
  const [first, ...rest] = wrap(printable(text), Math.max(20, width - indent));
  const head = `  ${printable(label)}`;
  // A label too long for its column gets a line of its own.
  const lines = head.length < indent ? [head.padEnd(indent) + first] : [head, " ".repeat(indent) + first];
  lines.push(...rest.map((line) => " ".repeat(indent) + line));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function verdict(diagnosis: Diagnosis, terminal: Terminal, glyphs: Glyphs): string {
  const { bold, red, green, yellow, dim } = terminal.colors;
  const { kind, cause, confidence, summary, culprit } = diagnosis.verdict;
  const paint = kind === "not-stack-related" ? green : kind === "undetermined" ? yellow : red;
  const title = bold(paint(verdictTitle(kind, cause)));
  const sure = kind === "undetermined" ? "" : dim(` ${glyphs.dot} ${CONFIDENCES[confidence]}`);
  const sentence = wrap(printable(summary), terminal.width - 2).map((line) => `  ${line}\n`);
  let text = `\n  ${title}${sure}\n\n${sentence.join("")}\n`;
  const row = (label: string, value: string): void => {
    text += labelled(label, value, 12, terminal.width);
  };
  if (culprit !== null) row(kind === "not-stack-related" ? "raised in" : "culprit", culpritName(culprit));
  const { panic, kernel } = diagnosis;
  if (panic.message !== null) row("panic", panic.message);
  const task = panic.comm === null ? "" : `${panic.comm}${panic.pid === null ? "" : ` (PID ${panic.pid})`}`;
  const where = [task, panic.cpu === null ? "" : `on CPU ${panic.cpu}`].filter(Boolean).join(" ");
  if (where !== "") row("task", panic.task === null ? where : `${where}, ${panic.task}`);
  const when = kernel.crashTime === null ? "" : `, ${formatDate(new Date(kernel.crashTime))}`;
  const named = [kernel.release, kernel.arch].filter((part) => part !== null).join(" ");
  if (named !== "") row("kernel", `${named}${when}`);
  return text;
}

/** Inferred frames whose reason is told; the JSON has all. */
const MAX_REASONS = 6;

/** A bar that shows how full the stack was. */
function gauge(used: number, size: number, terminal: Terminal, glyphs: Glyphs): string {
  const cells = 16;
  const share = size === 0 ? 0 : used / size;
  const full = Math.max(used > 0 ? 1 : 0, Math.min(cells, Math.round(share * cells)));
  const { red, dim } = terminal.colors;
  const bar = glyphs.used.repeat(full);
  return `${share >= 0.9 ? red(bar) : bar}${dim(glyphs.free.repeat(cells - full))} ${Math.round(share * 100)} %`;
}

function stack(diagnosis: Diagnosis, terminal: Terminal, glyphs: Glyphs): string {
  const { stack } = diagnosis;
  const { frames } = withoutInlined(diagnosis);
  if (frames.length === 0) return "";
  const { bold, dim } = terminal.colors;
  let text = `\n${bold("The stack")}`;
  if (stack !== null) {
    const size = Number(BigInt(stack.high) - BigInt(stack.low));
    const words = `${stack.kind} stack, ${thousands(stack.usedBytes)} of ${thousands(size)} bytes used`;
    text += `  ${words}  ${gauge(stack.usedBytes, size, terminal, glyphs)}`;
  }
  text += `\n\n${drawStack(diagnosis, terminal, glyphs)}`;
  const margin = " ".repeat(19);
  const inferred = frames.filter((frame) => frame.certainty === "inferred");
  const proven = frames.length - inferred.length;
  const legend =
    inferred.length === 0
      ? frames.length === 1
        ? "the one frame is proven"
        : `all ${frames.length} frames proven`
      : `${glyphs.proven} ${proven} proven   ${glyphs.inferred} ${inferred.length} inferred`;
  text += dim(`${margin}${legend}\n`);
  const stale = diagnosis.stale.length;
  if (stale > 0) {
    const hint = diagnosis.input.kind === "vmcore" ? ": bt --stale" : "";
    text += dim(`${margin}${stale} stale return address${stale === 1 ? "" : "es"} left out${hint}\n`);
  }
  const { corruption } = diagnosis;
  if (corruption?.pattern) {
    const range = `${thousands(corruption.bytes)} bytes from ${corruption.start}`;
    text += `\n${labelled("damage", `${range}: ${corruption.pattern}`, 19, terminal.width)}`;
  } else if (inferred.length > 0) {
    text += "\n";
  }
  for (const [why, names] of reasons(inferred).slice(0, MAX_REASONS)) {
    const name = names.length === 1 ? names[0]! : `${names.length} frames`;
    text += labelled(`${glyphs.inferred} ${name}`, why, 19, terminal.width);
  }
  return text;
}

/** Why frames were inferred, each reason once with the frames it is given for. */
function reasons(inferred: Diagnosis["frames"]): [string, string[]][] {
  const names = new Map<string, string[]>();
  for (const frame of inferred) {
    const why = frame.why ?? "";
    names.set(why, [...(names.get(why) ?? []), frame.function ?? frame.address ?? "?"]);
  }
  return [...names];
}

function list(title: string, items: readonly string[], terminal: Terminal, glyphs: Glyphs): string {
  if (items.length === 0) return "";
  const lines = items.map((item) => labelled(glyphs.dot, item, 4, terminal.width));
  return `\n${terminal.colors.bold(title)}\n${lines.join("")}`;
}

/** The report for people: verdict first, then the picture that shows it, then what proves it and what to do. */
export function renderReport(diagnosis: Diagnosis, terminal: Terminal): string {
  const glyphs = terminal.unicode ? UNICODE : ASCII;
  const alternatives = diagnosis.alternatives.map(
    (other) => `${verdictTitle(other.kind, null)} (${CONFIDENCES[other.confidence]}): ${other.why}`,
  );
  const evidence = diagnosis.evidence.map((item) =>
    item.address === null ? item.text : `${item.address}: ${item.text}`,
  );
  return [
    verdict(diagnosis, terminal, glyphs),
    stack(diagnosis, terminal, glyphs),
    list("Evidence", evidence, terminal, glyphs),
    list("Also possible", alternatives, terminal, glyphs),
    list("Not known", diagnosis.missing, terminal, glyphs),
    list("What to do", diagnosis.advice, terminal, glyphs),
    diagnosis.changelog === undefined
      ? ""
      : list("In the changelog", changelogLines(diagnosis.changelog), terminal, glyphs),
    "\n",
  ].join("");
}
