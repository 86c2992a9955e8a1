import type { Diagnosis, DiagnosisFrame } from "@spillway/core";
import type { Terminal } from "../terminal.ts";
import { hex16, thousands } from "../text/hex.ts";
import { printable } from "../text/printable.ts";
import { truncate } from "../text/wrap.ts";
import type { Glyphs } from "./glyphs.ts";
import { type Mark, type Region, type StackRow, stackRows } from "./stack-rows.ts";

/** Columns of the address at the left, its blanks included. */
const ADDRESS = 19;
/** Columns kept for the notes at the right. */
const NOTES = 16;
const BOX_MAX = 58;
/** From this width on there is room for a 64-bit value beside the drawing. */
const WIDE = 106;

interface Box {
  readonly width: number;
  readonly glyphs: Glyphs;
  readonly terminal: Terminal;
}

const BLANK = " ".repeat(ADDRESS);

/** Text at the left, a number at the right, cut to the box. */
function fill(left: string, right: string, box: Box): string {
  const { width } = box;
  const room = width - (right === "" ? 0 : right.length + 1);
  return truncate(left, room, box.glyphs.ellipsis).padEnd(width - right.length) + right;
}

function line(
  box: Box,
  address: bigint | null,
  content: string,
  options: { damaged?: boolean; note?: string } = {},
): string {
  const { glyphs } = box;
  const { red, dim } = box.terminal.colors;
  const side = options.damaged ? red(glyphs.damage) : dim(glyphs.side);
  const at = address === null ? BLANK : dim(`  ${hex16(address)} `);
  return `${at}${side} ${content} ${side}${options.note ? ` ${options.note}` : ""}\n`;
}

function border(
  box: Box,
  left: string,
  right: string,
  words: readonly [string, string],
  address: bigint | null,
): string {
  const { glyphs } = box;
  const { dim } = box.terminal.colors;
  const [first, last] = words.map((word) => (word === "" ? "" : ` ${word} `)) as [string, string];
  const rule = glyphs.top.repeat(Math.max(0, box.width + 2 - first.length - last.length - 2));
  const at = address === null ? BLANK : `  ${hex16(address)} `;
  return dim(`${at}${left}${glyphs.top}${first}${rule}${last}${glyphs.top}${right}\n`);
}

function label(frame: DiagnosisFrame): string {
  if (frame.function === null) return `${frame.address ?? "?"} (no known function)`;
  const name = frame.function;
  const offset = frame.offset === null ? "" : `+0x${frame.offset.toString(16)}`;
  return printable(`${name}${offset}${frame.module === null ? "" : ` [${frame.module}]`}`);
}

/** `read_write.c:582`, or nothing where it is not known or does not fit beside the drawing. */
function shortLocation(frame: DiagnosisFrame, box: Box, taken: number): string {
  if (frame.file == null || frame.line == null) return "";
  const room = box.terminal.width - ADDRESS - box.width - 5 - taken;
  const path = printable(frame.file);
  const choices = [path, path.slice(path.lastIndexOf("/") + 1)].map((name) => `${name}:${frame.line}`);
  return choices.find((text) => text.length <= room) ?? "";
}

function drawRow(row: StackRow, box: Box, diagnosis: Diagnosis): string {
  const { glyphs } = box;
  const { red, yellow, bold, dim } = box.terminal.colors;
  switch (row.kind) {
    case "frame": {
      const inferred = row.frame.certainty === "inferred";
      const mark = inferred ? glyphs.inferred : glyphs.proven;
      const turn = row.cycle === null ? "" : `${row.cycle === "first" ? glyphs.cycle[0] : glyphs.cycle[1]} `;
      const bytes = row.bytes === null ? "" : thousands(row.bytes);
      const text = fill(`${turn}${mark} ${label(row.frame)}`, bytes, box);
      const harmless = diagnosis.verdict.kind === "not-stack-related";
      const culprit = harmless ? `${glyphs.arrow} raised here` : red(bold(`${glyphs.arrow} culprit`));
      const said = row.culprit ? culprit : inferred ? yellow("inferred") : "";
      const words = row.culprit ? (harmless ? 11 : 9) + 1 : inferred ? 9 : 0;
      const source = shortLocation(row.frame, box, words);
      const note = [said, dim(source)].filter((part) => part !== "" && part !== dim("")).join(" ");
      const content = row.culprit ? bold(text) : inferred ? yellow(text) : text;
      return line(box, row.address, content, { damaged: row.damaged, note });
    }
    case "inlined": {
      const text = fill(`    ${label(row.frame)} (inlined)`, "", box);
      return line(box, null, dim(text), { note: dim(shortLocation(row.frame, box, 0)) });
    }
    case "turns": {
      const each = row.bytesPerTurn;
      const total = each === null ? "" : thousands(row.turns * each);
      const size = each === null ? "" : `, ${thousands(each)} bytes a turn`;
      const words = `${glyphs.cycle[2]} ${glyphs.ellipsis} ${glyphs.times} ${thousands(row.turns)} turns${size}`;
      return line(box, null, red(fill(words, total, box)));
    }
    case "elided":
      return line(
        box,
        null,
        dim(fill(`${glyphs.ellipsis} ${row.frames} more frames`, row.bytes === null ? "" : thousands(row.bytes), box)),
      );
    case "region":
      return border(box, glyphs.tee[0], glyphs.tee[1], [REGIONS[row.region], ""], null);
    case "mark":
      return drawMark(row, box, diagnosis);
  }
}

const REGIONS: Readonly<Record<Region, string>> = {
  this: "this stack",
  below: "past the low end of the stack",
  other: "on another stack",
};

function drawMark(mark: Mark, box: Box, diagnosis: Diagnosis): string {
  const { red } = box.terminal.colors;
  const corruption = diagnosis.corruption!;
  if (mark.what === "canary") {
    const { found, expected } = corruption.canary!;
    const note = expected !== null && box.terminal.width >= WIDE ? red(`expected ${hex16(BigInt(expected))}`) : "";
    return line(box, mark.address, red(fill(`  canary slot ${hex16(BigInt(found))}`, "", box)), {
      damaged: true,
      note,
    });
  }
  const start = mark.what === "damage-start";
  const text = start ? fill("  damage begins", thousands(corruption.bytes), box) : fill("  damage ends", "", box);
  return line(box, mark.address, red(text), { damaged: start });
}

/** Draws the stack from its low end (where an overflow goes) to its top, one line a frame. */
export function drawStack(diagnosis: Diagnosis, terminal: Terminal, glyphs: Glyphs): string {
  const width = Math.min(BOX_MAX, Math.max(28, terminal.width - ADDRESS - 4 - NOTES));
  const box: Box = { width, glyphs, terminal };
  const { stack } = diagnosis;
  const [topLeft, topRight, bottomLeft, bottomRight] = glyphs.corners;
  if (stack === null) {
    const rows = stackRows(diagnosis).map((row) => drawRow(row, box, diagnosis));
    const top = border(box, topLeft, topRight, ["innermost", "bytes"], null);
    return top + rows.join("") + border(box, bottomLeft, bottomRight, ["outermost", ""], null);
  }
  const low = BigInt(stack.low);
  const high = BigInt(stack.high);
  const free = Number(high - low) - stack.usedBytes;
  let text = "";
  let region: Region | null = null;
  let lowShown = false;
  for (const row of stackRows(diagnosis)) {
    if (row.kind !== "region") {
      text += drawRow(row, box, diagnosis);
      continue;
    }
    const [left, right] = text === "" ? [topLeft, topRight] : glyphs.tee;
    const unit = text === "" ? "bytes" : "";
    const before = region;
    region = row.region;
    if (row.region === "this" && !lowShown) {
      lowShown = true;
      text += border(box, left, right, ["low end of the stack", unit], low);
      if (free > 0) text += line(box, null, terminal.colors.dim(fill("free", thousands(free), box)));
    } else if (before === "this") {
      text += border(box, left, right, ["top of the stack", REGIONS[row.region]], high);
    } else {
      text += border(box, left, right, [REGIONS[row.region], unit], null);
    }
  }
  const top = region === "this";
  return text + border(box, bottomLeft, bottomRight, [top ? "top of the stack" : "", ""], top ? high : null);
}
