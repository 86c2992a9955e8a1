import type { SweepDocument, SweepPoint } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns } from "../../text/columns.ts";
import { formatBytes, formatMean, formatProbability, formatSeconds } from "./numbers.ts";

type Look = Pick<Terminal, "width" | "colors" | "unicode">;

/** Lines of the curve. */
const HEIGHT = 16;
/** A curve of fewer points shows nothing that the table does not. */
const FEWEST_POINTS = 3;

/** What `spillway simulate sweep` prints: a table, and the curve under it. */
export async function formatSweep(document: SweepDocument, look: Look): Promise<string> {
  const waits = document.policy === "sleep";
  const { formula, points } = document;
  const deadlocks = points.some((point) => point.deadlocks !== null);
  const titles = [
    "stacks",
    waits ? "waited" : "refused",
    "99 % interval",
    ...(formula === null ? [] : [formula]),
    ...(waits ? ["mean wait"] : []),
    ...(deadlocks ? ["deadlocks"] : []),
    "in use",
    "at most",
    "memory",
  ];
  const rows = points.map((point) => [
    `${point.stacks}`,
    point.probability === null ? "-" : formatProbability(point.probability),
    point.probability === null ? "no steady state" : point.ci99.map(formatProbability).join(" to "),
    ...(formula === null ? [] : [point.formula === null ? "-" : formatProbability(point.formula)]),
    ...(waits ? [point.meanWait === null ? "-" : formatSeconds(point.meanWait, look.unicode)] : []),
    ...(deadlocks ? [`${point.deadlocks ?? ""}`] : []),
    formatMean(point.meanInUse),
    `${point.highWater}`,
    formatBytes(point.memoryBytes),
  ]);
  const alignments = titles.map((title) => (title === "99 % interval" ? ("left" as const) : ("right" as const)));
  return columns([titles, ...rows], alignments) + (await curve(document, look));
}

/** Characters of the curve where the terminal has none of its own. */
const ASCII = {
  axis: { n: "^", ns: "|", y: "+", nse: "+", x: "+", we: "-", e: ">", intersectionX: "+", intersectionY: "+" },
  chart: { we: "-", wns: "+", ns: "|", nse: "+", wsn: "+", sne: "+", area: "#" },
} as const;

async function curve({ points, policy }: SweepDocument, { width, unicode }: Look): Promise<string> {
  const shown = points.filter((point): point is SweepPoint & { probability: number } => (point.probability ?? 0) > 0);
  if (shown.length < FEWEST_POINTS) return "";
  const line = shown.map(({ stacks, probability }): [number, number] => [stacks, Math.log10(probability)]);
  const least = Math.floor(Math.min(...line.map(([, y]) => y)));
  // Loaded when it is needed: no other command draws curves.
  const { plot } = await import("simple-ascii-chart");
  const drawing = plot(line, {
    width: Math.max(20, Math.min(width - 16, 6 * line.length)),
    height: HEIGHT,
    yRange: [least, 0],
    customYAxisTicks: Array.from({ length: 1 - least }, (_, decade) => -decade),
    yLabel: "",
    xLabel: "stacks",
    formatter: (value, { axis }) => (axis === "y" ? decade(value) : value),
    ...(unicode ? {} : { symbols: ASCII }),
  });
  const title = policy === "sleep" ? "share that waits" : "share refused";
  const lines = drawing.split("\n").map((text) => `  ${text}`.trimEnd());
  return `\n  ${title}\n${lines.filter((text) => text !== "").join("\n")}\n`;
}

/** A power of ten on the axis. */
function decade(value: number): string {
  return value === 0 ? "1" : value >= -3 ? (10 ** value).toFixed(-value) : `1e${value}`;
}
