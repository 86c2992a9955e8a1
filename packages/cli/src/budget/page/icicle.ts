/**
 * The deepest paths below an entry drawn as the stack they fill: down the page go the bytes, each column is one path, and
 * paths that begin alike share what they have in common.
 */
import type { DepthNode } from "@spillway/core";
import { named } from "../../format/budget/words.ts";
import { type Html, html } from "../../report/html/html.ts";
import { thousands } from "../../text/hex.ts";

/** Width of the drawing, in units of the SVG. */
const WIDTH = 1200;
/** Left of it the scale. */
const SCALE = 64;
/** The deepest path gets as much width as so many others. */
const DEEPEST_WEIGHT = 8;
/** Height of a byte; frames of less than LABEL / this get no name. */
const PER_BYTE = 0.16;
const LABEL = 11;
const CHARACTER = 6.1;
const MOST_HEIGHT = 6000;

/** A piece of the drawing: a node with the columns it spans. */
export interface IcicleCell {
  readonly node: DepthNode;
  readonly x: number;
  readonly width: number;
  /** Where its frame ends below each of its parts, from the left: the callee's top, or its own deepest byte. */
  readonly steps: readonly { readonly x: number; readonly width: number; readonly end: number }[];
  /** On the deepest path. */
  readonly deepest: boolean;
}

function weight(node: DepthNode, deepest: boolean): number {
  if (node.callees.length === 0) return deepest ? DEEPEST_WEIGHT : 1;
  return node.callees.reduce((sum, callee, index) => sum + weight(callee, deepest && index === 0), 0);
}

/** Lays a tree out in columns, `width` units wide. */
export function layOut(root: DepthNode, width: number): IcicleCell[] {
  const cells: IcicleCell[] = [];
  const place = (node: DepthNode, x: number, span: number, deepest: boolean): void => {
    const total = weight(node, deepest);
    const steps: IcicleCell["steps"][number][] = [];
    let at = x;
    for (const [index, callee] of node.callees.entries()) {
      const share = (span * weight(callee, deepest && index === 0)) / total;
      steps.push({ x: at, width: share, end: callee.top });
      at += share;
    }
    if (steps.length === 0) steps.push({ x, width: span, end: node.repeated ? node.deepest : node.ownEnd });
    cells.push({ node, x, width: span, steps, deepest });
    for (const [index, callee] of node.callees.entries()) {
      const step = steps[index]!;
      place(callee, step.x, step.width, deepest && index === 0);
    }
  };
  place(root, 0, width, true);
  return cells;
}

function outline(cell: IcicleCell, y: (bytes: number) => number): string {
  const top = y(cell.node.top);
  let path = `M${round(cell.x)} ${top}H${round(cell.x + cell.width)}`;
  for (const step of cell.steps.toReversed()) path += `V${y(Math.max(step.end, cell.node.top))}H${round(step.x)}`;
  return `${path}Z`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function described(node: DepthNode): string {
  const lines = [
    `${node.name}${node.module === null ? "" : ` [${node.module}]`}`,
    `${thousands(node.top)} bytes in use on entry; reaches ${thousands(node.deepest)}`,
  ];
  const { call } = node;
  if (call !== null) {
    lines.push(
      `called ${call.kind.replace("-", " ")}, ${call.certainty}${call.slot === null ? "" : ` through ${call.slot}`}`,
    );
    if (call.depth !== "exact") lines.push(`the bytes at that call are ${call.depth.replace("-", " ")}`);
  }
  if (node.repeated) lines.push("from here on as where it is drawn further left");
  if (node.leftOut > 0) lines.push(`${node.leftOut} callees that reach less deep are not drawn`);
  return lines.join("\n");
}

const NONE: ReadonlySet<string> = new Set();

/** Where the scale has marks, bytes: every KiB or two. */
function marks(most: number): number[] {
  const step = most > 24_576 ? 2048 : 1024;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
}

/** Horizontal lines with a meaning. */
export interface IcicleLine {
  readonly bytes: number;
  readonly text: string;
  /** Crossing it is the end of a stack. */
  readonly fatal: boolean;
}

/**
 * The SVG.
 * @param lines what is drawn across it: the stack's end, a threshold
 * @param points names of the critical points, marked where they stand on a path
 */
export function icicle(root: DepthNode, lines: readonly IcicleLine[], points: ReadonlySet<string> = NONE): Html {
  const most = Math.max(root.deepest, ...lines.map((line) => line.bytes)) + 128;
  const scale = Math.min(PER_BYTE, MOST_HEIGHT / most);
  const y = (bytes: number): number => round(16 + bytes * scale);
  const cells = layOut(root, WIDTH - SCALE).map((cell) => ({ ...cell, x: cell.x + SCALE, steps: moved(cell.steps) }));
  const shapes = cells.map((cell) => {
    const height = Math.min(...cell.steps.map((step) => step.end)) - cell.node.top;
    const isPoint = points.has(named(cell.node.name, cell.node.module));
    const name = `${cell.node.repeated ? "← " : ""}${isPoint ? "◆ " : ""}${cell.node.name}`;
    const room = Math.floor((cell.width - 6) / CHARACTER);
    const shown = name.length <= room ? name : room >= 5 ? `${name.slice(0, room - 1)}…` : "";
    const label =
      shown !== "" && height * scale >= LABEL
        ? html`<text x="${round(cell.x + 3)}" y="${round(y(cell.node.top) + 9)}">${shown}</text>`
        : "";
    const certainty = cell.node.call?.certainty ?? "proven";
    const style = `${certainty}${cell.deepest ? " deepest" : ""}${cell.node.repeated ? " repeated" : ""}${isPoint ? " point" : ""}`;
    return html`<g class="f ${style}" tabindex="0"><title>${described(cell.node)}</title><path d="${outline(cell, y)}"/>${label}</g>\n`;
  });
  const entry =
    root.top > 0
      ? html`<g class="f base"><title>${thousands(root.top)} bytes are in use when the entry is called</title><path d="M${SCALE} ${y(0)}H${WIDTH}V${y(root.top)}H${SCALE}Z"/><text x="${SCALE + 3}" y="${y(0) + 10}">in use at the entry: ${thousands(root.top)} bytes</text></g>`
      : "";
  const scaleMarks = marks(most).map(
    (bytes) =>
      html`<line class="tick" x1="${SCALE - 6}" x2="${WIDTH}" y1="${y(bytes)}" y2="${y(bytes)}"/><text class="tick" x="${SCALE - 10}" y="${round(y(bytes) + 3.5)}">${thousands(bytes)}</text>\n`,
  );
  const across = lines.map(
    (line) =>
      html`<line class="${line.fatal ? "fatal" : "limit"}" x1="${SCALE - 6}" x2="${WIDTH}" y1="${y(line.bytes)}" y2="${y(line.bytes)}"/><text class="${line.fatal ? "fatal" : "limit"}" x="${WIDTH - 4}" y="${round(y(line.bytes) - 4)}">${line.text}</text>\n`,
  );
  const height = Math.ceil(y(most)) + 4;
  return html`<svg class="icicle" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="The deepest paths from ${root.name}, down to ${thousands(root.deepest)} bytes">
${scaleMarks}${entry}${shapes}${across}</svg>`;
}

function moved(steps: IcicleCell["steps"]): IcicleCell["steps"] {
  return steps.map((step) => ({ ...step, x: step.x + SCALE }));
}
