/** Line charts as SVG: what the page of `simulate machine` is made of. */
import { type Html, html } from "../../report/html/html.ts";

export interface Axis {
  readonly label: string;
  readonly log: boolean;
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Ends of its confidence interval. */
  readonly low?: number;
  readonly high?: number;
  /** Shown where the pointer rests on it. */
  readonly told?: string;
}

export interface Series {
  readonly name: string;
  /** Number of its colour. */
  readonly colour: number;
  readonly points: readonly Point[];
  /** Points are marked, or it is a mere line. */
  readonly dots: boolean;
}

export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** Upright lines at places that matter. */
  readonly marks?: readonly { readonly x: number; readonly text: string }[];
}

const WIDTH = 720;
const HEIGHT = 320;
const LEFT = 66;
const RIGHT = 128;
const TOP = 22;
const BOTTOM = 42;
/** Least distance of two names at the right end, in lines of text. */
const LINE = 13;

function scale({ log, min, max }: Axis, from: number, to: number): (value: number) => number {
  const of = (value: number) => (log ? Math.log10(Math.max(value, min)) : value);
  const [low, high] = [of(min), of(max)];
  return (value) => from + ((Math.min(Math.max(of(value), low), high) - low) / (high - low || 1)) * (to - from);
}

const round = (value: number) => Number(value.toFixed(1));

/** Names beside the ends of their lines, moved apart where they would cover each other. */
function places(ends: readonly number[]): number[] {
  const order = ends.map((_, at) => at).sort((a, b) => ends[a]! - ends[b]!);
  const placed = [...ends];
  let above = Number.NEGATIVE_INFINITY;
  for (const at of order) {
    placed[at] = Math.max(ends[at]!, above + LINE);
    above = placed[at]!;
  }
  // Where that ran out of the picture at the bottom, back up.
  let below = HEIGHT - BOTTOM - 4;
  for (const at of order.reverse()) {
    placed[at] = Math.min(placed[at]!, below);
    below = placed[at]! - LINE;
  }
  return placed;
}

export function drawChart({ title, x, y, series, marks = [] }: Chart): Html {
  const across = scale(x, LEFT, WIDTH - RIGHT);
  const up = scale(y, HEIGHT - BOTTOM, TOP);
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  const ends = places(series.map(({ points }) => up(points.at(-1)?.y ?? y.min)));
  return html`<figure><figcaption>${title}</figcaption>
<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
${y.ticks.map(({ at, text }) => html`<line class="grid" x1="${LEFT}" x2="${right}" y1="${round(up(at))}" y2="${round(up(at))}"/><text class="tick y" x="${LEFT - 7}" y="${round(up(at) + 4)}">${text}</text>`)}
${x.ticks.map(({ at, text }) => html`<line class="grid" x1="${round(across(at))}" x2="${round(across(at))}" y1="${TOP}" y2="${bottom}"/><text class="tick x" x="${round(across(at))}" y="${bottom + 16}">${text}</text>`)}
<text class="label x" x="${(LEFT + right) / 2}" y="${HEIGHT - 6}">${x.label}</text>
<text class="label y" x="${LEFT - 56}" y="${TOP - 9}">${y.label}</text>
${marks.map((mark) => html`<line class="mark" x1="${round(across(mark.x))}" x2="${round(across(mark.x))}" y1="${TOP}" y2="${bottom}"/><text class="mark" x="${round(across(mark.x) + 4)}" y="${TOP + 11}">${mark.text}</text>`)}
${series.map((one, at) => line(one, across, up, ends[at]!, right))}
</svg></figure>
`;
}

function line(
  { name, colour, points, dots }: Series,
  across: (value: number) => number,
  up: (value: number) => number,
  end: number,
  right: number,
): Html {
  const path = points
    .map((point, at) => `${at === 0 ? "M" : "L"}${round(across(point.x))} ${round(up(point.y))}`)
    .join("");
  const last = points.at(-1);
  return html`<g class="c${colour}"><path class="line" d="${path}"/>${points.map(({ x, y, low, high, told }) => {
    if (!dots) return null;
    const at = round(across(x));
    return html`${low !== undefined && high !== undefined && html`<line class="interval" x1="${at}" x2="${at}" y1="${round(up(low))}" y2="${round(up(high))}"/>`}<circle cx="${at}" cy="${round(up(y))}" r="3.5">${told !== undefined && html`<title>${told}</title>`}</circle>`;
  })}${last !== undefined && html`<path class="lead" d="M${round(across(last.x))} ${round(up(last.y))}L${right + 8} ${round(end)}"/><text class="name" x="${right + 11}" y="${round(end + 4)}">${name}</text>`}</g>
`;
}

/** Powers of ten from `min` to `max`. */
export function decades(min: number, max: number, text: (value: number) => string): { at: number; text: string }[] {
  const first = Math.ceil(Math.log10(min) - 1e-9);
  const last = Math.floor(Math.log10(max) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => {
    const value = 10 ** (first + at);
    return { at: value, text: text(value) };
  });
}
