import type { GuardComparison } from "@spillway/core";
import type { Terminal } from "../../terminal.ts";
import { columns } from "../../text/columns.ts";
import { thousands } from "../../text/hex.ts";
import { wrap } from "../../text/wrap.ts";
import { formatMean, formatProbability, formatSeconds } from "./numbers.ts";

type Look = Pick<Terminal, "width" | "colors" | "unicode">;

/** Rows of the comparison of stacks in use. */
const MOST_ROWS = 24;

const VERDICTS = {
  fits: "The counts fit Poisson arrivals: the model may be asked how many stacks are enough.",
  more:
    "More calls were refused than of Poisson arrivals: they come in bursts. A size that follows from the mean load is too small; " +
    "give --arrivals bursty:…, or record a trace.",
  fewer: "Fewer calls were refused than of Poisson arrivals: they come evenly, or from few tasks (--tasks).",
} as const;

/** Bursts that are far apart look like the load within them: only the time tells how much of it there is. */
const FITS_WHAT_WAS_MET =
  "The counts fit Poisson arrivals at the load that calls met: size the pool for it. Whether it is there all the time or in bursts only, " +
  "--over TIME would tell.";

/** What `spillway simulate guard` prints. */
export function formatGuardComparison(comparison: GuardComparison, look: Look): string {
  const { counted, model, rate, offeredErlang, occupancy, verdict } = comparison;
  const seconds = (value: number) => formatSeconds(value, look.unicode);
  const by = rate.from === "time" ? "" : ", by the stacks that calls met";
  const top = [
    [
      "counted",
      `${thousands(counted.switches)} switches, ${thousands(counted.refusals)} refusals, ${comparison.stacks} stacks`,
    ],
    ["held", `${seconds(counted.meanHold)} on average`],
    ["load", `${formatMean(offeredErlang)} erlang: ${formatMean(rate.perSecond)} calls a second${by}`],
  ];
  const interval = (ci: readonly [number, number]) => ci.map(formatProbability).join(" to ");
  const shown = occupancy.slice(0, MOST_ROWS);
  const table = [
    ["", "counted", "99 % interval", "model", "99 % interval"],
    [
      "refused",
      formatProbability(counted.refused),
      interval(counted.ci99),
      formatProbability(model.refusal.probability ?? 0),
      interval(model.refusal.ci99),
    ],
    ["met in use", formatMean(counted.met), "", formatMean(model.met), ""],
    ["at most", `${counted.highWater}`, "", `${model.highWater}`, ""],
    ...shown.map((row) => [
      `made it ${row.stacks}`,
      formatProbability(row.counted),
      "",
      formatProbability(row.model),
      "",
    ]),
  ];
  const paint = verdict === "fits" ? look.colors.green : look.colors.yellow;
  const words = verdict === "fits" && rate.from === "occupancy" ? FITS_WHAT_WAS_MET : VERDICTS[verdict];
  const told = wrap(words, look.width - 2).map((line) => `  ${paint(line)}\n`);
  return `${columns(top, ["left", "left"])}\n${columns(table, ["left", "right", "left", "right", "left"])}\n${told.join("")}`;
}
