/** What `plan` prints: where to spill, and what is left. */
import { type PlanDocument, type PlanSegment, UNFIXABLE_CAUSES, type UnfixableCause } from "@spillway/core";
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
  const head = [
    `${colors.bold(`${count(plan.points.length, "critical point")} for Linux ${plan.kernel.release ?? "(release unknown)"}`)}\n`,
    columns(
      [
        ["placement", `chosen among ${count(plan.candidateCount, "function")}; ${optimal}`],
        ["threshold", `${thousands(plan.thresholdBytes)} bytes: a point called with as much in use switches`],
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

/** What a plan for one entry says, in sentences. */
export function boundLines(plan: PlanDocument): string[] {
  const entry = plan.longestSegments.find(({ from }) => from === "entry");
  const longest = Math.max(0, ...plan.points.map(({ segmentBytes }) => segmentBytes));
  const usable = thousands(plan.stackBytes - plan.reserveBytes);
  const lines = [`${count(plan.points.length, "critical point")} would bound it, rounds of cycles included.`];
  if (entry !== undefined)
    lines.push(`Up to the first at most ${thousands(entry.bytes)} of ${usable} bytes are in use.`);
  if (plan.points.length > 0) {
    lines.push(
      `A point that finds ${thousands(plan.thresholdBytes)} or more in use goes on on an extra stack; from one point to the next ` +
        `at most ${thousands(longest)} bytes follow.`,
    );
  }
  if (plan.unfixable.length > 0) lines.push("That is not all of it: what no placement bounds, `spillway plan` tells.");
  return lines;
}

/** A plan for one entry, in short: what would bound the path that stands above it. */
export function formatBound(plan: PlanDocument, terminal: Terminal): string {
  const { colors, width } = terminal;
  const [title = "", ...lines] = boundLines(plan);
  const points = plan.points.map((point) => named(point.name, point.module)).join(", ");
  const next =
    "Points for all entries: spillway plan INPUT --recursion -o plan.json; on this kernel: spillway guard load --plan plan.json.";
  const text = [points, ...lines, next].flatMap((line) => (line === "" ? [] : wrap(line, width - 2)));
  return `${colors.bold(title)}\n${text.map((line) => `  ${line}\n`).join("")}`;
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
