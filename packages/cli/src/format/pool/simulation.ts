import type { SimulationDocument } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { bar } from "../guard-status.ts";
import { formatNotes } from "./notes.ts";
import { formatBytes, formatMean, formatProbability, formatSeconds } from "./numbers.ts";

type Look = Pick<Terminal, "width" | "colors" | "unicode">;

/** Columns of the longest bar. */
const BAR = 40;
/** Rows of the drawing of occupancy: with more stacks than that, neighbours share one. */
const MOST_ROWS = 16;

/** What `spillway simulate` prints. */
export function formatSimulation(document: SimulationDocument, look: Look): string {
  const { stacks, policy, occupancy, memory, run } = document;
  const rows: string[][] = [
    ["stacks", `${thousands(stacks)}, ${formatBytes(memory.bytes)} of memory; ${POLICIES[policy]}`],
    ...(document.offeredErlang === null ? [] : [["offered", `${formatMean(document.offeredErlang)} erlang`]]),
    // Who waits is not refused, but for one who holds as many stacks as a task may.
    ...(policy === "sleep" && document.refusal.count === 0 ? [] : [["refused", refused(document)]]),
    ...theory(document, look),
    ...waits(document, look),
    [
      "in use",
      `${formatMean(occupancy.mean)} on average${interval(occupancy.ci99, formatMean)}, at most ${thousands(occupancy.highWater)}`,
    ],
    ...deadlocks(document, look),
    ...(document.steals === null
      ? []
      : [["stolen", `${formatProbability(document.steals.share)} of the stacks taken came from another CPU's list`]]),
    ["simulated", simulated(run, look)],
  ];
  return `${columns(rows, ["left", "left"])}\n${drawing(document, look)}${formatNotes(document.notes, look)}`;
}

const POLICIES = { eio: "if none is free the call fails", sleep: "if none is free the task waits" } as const;

function interval(ci: readonly [number, number], format: (value: number) => string): string {
  return ` (99 %: ${format(ci[0])} to ${format(ci[1])})`;
}

function refused({ refusal, run }: SimulationDocument): string {
  if (refusal.probability === null) return "no crossing needed a stack";
  const nested = refusal.nested > 0 ? `, ${thousands(refusal.nested)} of them nested` : "";
  return (
    `${formatProbability(refusal.probability)}${interval(refusal.ci99, formatProbability)}: ` +
    `${thousands(refusal.count)} of ${thousands(run.attempts)}${nested}`
  );
}

function theory({ formula, refusal }: SimulationDocument, look: Look): string[][] {
  if (formula === null) return [];
  const { refusal: expected, wait, meanWait } = formula;
  if (expected !== undefined) {
    const inside = refusal.ci99[0] <= expected && expected <= refusal.ci99[1];
    return [
      [formula.name, `${formatProbability(expected)} by the formula${inside ? "" : ": outside of the interval"}`],
    ];
  }
  if (wait === undefined || meanWait === undefined) return [];
  return [
    [
      formula.name,
      `${formatProbability(wait)} wait, ${formatSeconds(meanWait, look.unicode)} on average, by the formula`,
    ],
  ];
}

function waits({ wait }: SimulationDocument, { unicode }: Look): string[][] {
  if (wait === null) return [];
  const seconds = (value: number) => formatSeconds(value, unicode);
  return [
    ["waited", `${formatProbability(wait.probability)}${interval(wait.probabilityCi99, formatProbability)}`],
    [
      "wait",
      `${seconds(wait.mean)} on average${interval(wait.ci99, seconds)}, at most ${seconds(wait.longest)}; ` +
        `${thousands(wait.longestQueue)} in the longest queue`,
    ],
  ];
}

function deadlocks({ deadlocks, run }: SimulationDocument, { unicode, colors }: Look): string[][] {
  if (deadlocks === null) return [];
  const { count, tasks, meanSecondsBetween } = deadlocks;
  if (count === 0) return [["deadlocks", `none in ${formatSeconds(run.seconds, unicode)}`]];
  const text =
    `${thousands(count)}: one every ${formatSeconds(meanSecondsBetween!, unicode)}, ` +
    `with ${formatMean(tasks!)} tasks stuck on average`;
  return [["deadlocks", colors.red(text)]];
}

function simulated(run: SimulationDocument["run"], { unicode }: Look): string {
  return (
    `${formatSeconds(run.seconds, unicode)} in ${thousands(run.events)} events, after ${thousands(run.warmupEvents)} of warm-up; ` +
    `seed ${run.seed}`
  );
}

/** How much of the time so many stacks were in use. */
function drawing({ occupancy }: SimulationDocument, { unicode }: Look): string {
  const shares = occupancy.timeShare;
  const step = Math.ceil(shares.length / MOST_ROWS);
  const rows: { name: string; share: number }[] = [];
  for (let from = 0; from < shares.length; from += step) {
    const to = Math.min(from + step, shares.length) - 1;
    let share = 0;
    for (let index = from; index <= to; index++) share += shares[index]!;
    rows.push({ name: from === to ? `${from}` : `${from}-${to}`, share });
  }
  const most = Math.max(...rows.map(({ share }) => share));
  const table = rows.map(({ name, share }) => [
    name,
    formatProbability(share),
    bar(share, most, BAR, unicode).replaceAll(/[·.]+$/g, ""),
  ]);
  return columns([["in use", "of the time", ""], ...table], ["right", "right", "left"]);
}
