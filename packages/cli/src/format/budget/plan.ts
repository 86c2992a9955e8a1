/** What `plan` prints: where to spill, and what is left. */
import {
  type DeepestPath,
  type PlanDocument,
  type PlanSegment,
  UNFIXABLE_CAUSES,
  type UnfixableCause,
} from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns, cutLast } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { printable } from "../../text/printable.ts";
import { wrap } from "../../text/wrap.ts";
import { count, LEVEL_TITLES, named } from "./words.ts";

/** Segments and unfixable paths shown. */
const SHOWN = 8;

export function formatPlan(plan: PlanDocument, terminal: Terminal): string {
  const { colors, width } = terminal;
  const optimal = plan.optimal
    ? "none smaller keeps the limits"
    : `at least ${plan.lowerBound} are needed: a gap of ${plan.points.length - plan.lowerBound}`;
  const isNeeded = plan.points.length > 0 || plan.unfixable.length > 0;
  const what = isNeeded ? count(plan.points.length, "critical point") : "No critical point is needed";
  const head = [
    `${colors.bold(`${what} for Linux ${printable(plan.kernel.release ?? "(release unknown)")}`)}\n`,
    columns(
      [
        ...(isNeeded
          ? [
              ["placement", `chosen among ${count(plan.candidateCount, "function")}; ${optimal}`],
              ["threshold", `${thousands(plan.thresholdBytes)} bytes: a point called with as much in use switches`],
            ]
          : []),
        ["stack", `${thousands(plan.stackBytes)} bytes, ${thousands(plan.reserveBytes)} of them in reserve`],
        ["edges", LEVEL_TITLES[plan.level]],
      ].map(([name, value]) => [{ text: name as string, paint: colors.dim }, value as string]),
      ["left", "left"],
    ),
  ].join("");
  const parts = [head];
  if (plan.points.length > 0) {
    const rows = plan.points.map((point) => [
      named(point.name, point.module),
      point.returns,
      thousands(point.segmentBytes),
      { text: printable(point.why), paint: colors.dim },
    ]);
    const heading = ["point", "returns", "segment", "why it may be one"].map((text) => ({ text, paint: colors.dim }));
    parts.push(columns(cutLast([heading, ...rows], 4, width), ["left", "left", "right", "left"]));
  }
  if (plan.longestSegments.length > 0) {
    parts.push(`${colors.bold("The longest segments left")}\n${segments(plan.longestSegments, terminal)}`);
  }
  if (plan.unfixable.length > 0) parts.push(unfixable(plan, terminal));
  if (plan.cyclesLeft.length > 0) {
    const rows = plan.cyclesLeft
      .slice(0, SHOWN)
      .map((cycle) => [
        count(cycle.functionCount, "function"),
        `${thousands(cycle.roundBytes)} bytes a round`,
        cycle.withoutCandidate ? "no candidate lies on it" : "no point lies on it",
        { text: printable(cycle.functions.slice(0, 3).join(", ")), paint: colors.dim },
      ]);
    const title = `Recursion that no point bounds: ${count(plan.cyclesLeft.length, "cycle")}`;
    parts.push(`${colors.bold(title)}\n${columns(cutLast(rows, 4, width), ["right", "right", "left", "left"])}`);
  }
  if (plan.notes.length > 0)
    parts.push(plan.notes.map((note) => paragraph(`note: ${printable(note)}`, width)).join(""));
  return parts.join("\n");
}

/** The path that a plan for one entry is held against: the deepest from that entry. */
export type PlannedPath = Pick<DeepestPath, "bytes" | "steps">;

/** What a plan for one entry says of its deepest path, in sentences. */
export function boundLines(plan: PlanDocument, path: PlannedPath): string[] {
  const usable = plan.stackBytes - plan.reserveBytes;
  const points = new Set(plan.points.map((point) => named(point.name, point.module)));
  const onPath = new Set(
    path.steps.map((step) => named(step.function, step.module)).filter((name) => points.has(name)),
  );
  const size = `${thousands(path.bytes)} of ${thousands(usable)} bytes, ${thousands(plan.reserveBytes)} more in reserve`;
  const [entry] = [...plan.longestSegments, ...plan.unfixable].filter(({ from }) => from === "entry");
  // The document lists the longest only: where the entry's is none of them, it is within its limit.
  const upToFirst = entry?.bytes ?? Math.min(path.bytes, usable);
  const onIt = `${count(onPath.size, "critical point")} on this path`;
  const part = onPath.size === 1 ? "bounds a part of it" : "bound parts of it";
  const lines = [
    path.bytes <= usable
      ? `This path needs no critical point: ${size}.`
      : onPath.size === 0
        ? `No critical point bounds this path: ${size}.`
        : `${onIt} ${plan.unfixable.length === 0 ? "would bound it" : part}: ${size}.`,
  ];
  if (points.size > 0) {
    const one = points.size === 1;
    const which =
      onPath.size === points.size
        ? " on it"
        : onPath.size > 0
          ? `, ${onPath.size} of them on it,`
          : one
            ? ", not on it,"
            : ", none of them on it,";
    const longest = Math.max(...plan.points.map(({ segmentBytes }) => segmentBytes));
    lines.push(
      `${count(points.size, "point")}${which} ${one ? "bounds" : "bound"} recursion through ${one ? "it" : "them"} however often ` +
        `it goes round: ${[...points].join(", ")}.`,
      `A point that finds ${thousands(plan.thresholdBytes)} or more in use goes on on an extra stack: before the first point at ` +
        `most ${thousands(upToFirst)} bytes are in use, and from one to the next at most ${thousands(longest)}.`,
    );
  }
  if (plan.cyclesLeft.length > 0) {
    const have = plan.cyclesLeft.length === 1 ? "1 cycle has" : `${thousands(plan.cyclesLeft.length)} cycles have`;
    lines.push(
      `${have} no point: at most ${count(plan.rounds, "upcall")} from one point to the next are assumed there, as in the bound.`,
    );
  }
  if (plan.unfixable.length > 0) lines.push("What no placement bounds, `spillway plan` tells.");
  return lines;
}

/** A plan for one entry, in short: what would bound the path that stands above it. */
export function formatBound(plan: PlanDocument, path: PlannedPath, terminal: Terminal): string {
  const { colors, width } = terminal;
  const [title = "", ...lines] = boundLines(plan, path);
  const next =
    "Points for all entries: spillway plan INPUT --recursion -o plan.json; on this kernel: spillway guard load --plan plan.json.";
  const head = wrap(title, width).map((line) => `${colors.bold(line)}\n`);
  const text = [...lines, next].flatMap((line) => wrap(line, width - 2));
  return `${head.join("")}${text.map((line) => `  ${line}\n`).join("")}`;
}

function paragraph(text: string, width: number): string {
  return wrap(text, width)
    .map((line) => `${line}\n`)
    .join("");
}

/** Titles of the causes, the plan's `why` for each being longer. */
const CAUSES: Readonly<Record<UnfixableCause, string>> = {
  start: "another path from its start stays as long",
  threshold: "fits a stack, but not above the threshold (--threshold)",
  unjudged: "split only by what nobody knows to be let sleep and fail (--allow)",
  coarse: "too long between the functions that could be points",
  "no-point": "nothing on it can be hooked, may sleep and returns an error",
};

function unfixable(plan: PlanDocument, terminal: Terminal): string {
  const { colors, width } = terminal;
  const counted = UNFIXABLE_CAUSES.flatMap((cause) => {
    const number = plan.unfixableCounts[cause];
    return number === undefined ? [] : [{ cause, number }];
  });
  const all = counted.reduce((sum, { number }) => sum + number, 0);
  const causes = counted
    .toSorted((a, b) => b.number - a.number)
    .map(({ cause, number }) => [thousands(number), CAUSES[cause]]);
  const rows = plan.unfixable.slice(0, SHOWN).map((segment) => [
    thousands(segment.bytes),
    `of ${thousands(segment.limitBytes)}`,
    printable(`${segment.start} → ${segment.end ?? segment.path.at(-1)?.function ?? "?"}`),
    {
      text: printable(segment.allowable.length > 0 ? `--allow ${segment.allowable.join(",")}` : segment.cause),
      paint: colors.dim,
    },
  ]);
  return [
    `${colors.red(`No placement helps: ${count(all, "segment")} over the limit`)}\n`,
    columns(causes, ["right", "left"]),
    `${colors.bold("The worst of them")}\n`,
    columns(cutLast(rows, 4, width), ["right", "left", "left", "left"]),
  ].join("");
}

function segments(list: readonly PlanSegment[], terminal: Terminal): string {
  const { colors } = terminal;
  const rows = list
    .slice(0, SHOWN)
    .map((segment) => [
      thousands(segment.bytes),
      `of ${thousands(segment.limitBytes)}`,
      printable(`${segment.start} → ${segment.end ?? segment.path.at(-1)?.function ?? "?"}`),
      { text: count(segment.path.length, "call"), paint: colors.dim },
    ]);
  return columns(rows, ["right", "left", "left", "left"]);
}
