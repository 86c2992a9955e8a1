import { lastWords } from "../lib/last-words.ts";
import type { Run } from "../lib/run-measured.ts";
import { type Summary, summarise } from "../lib/stats.ts";
import type { ToolName } from "./tools.ts";

/** What became of one tool: figures, or the reason why there are none. */
export type Outcome =
  | {
      readonly tool: ToolName;
      readonly status: "measured";
      readonly version: string;
      readonly gives: string;
      readonly seconds: Summary;
      /** Peak resident set size in KiB; null where it could not be measured. */
      readonly peakKiB: Summary | null;
      /** This tool's median over drgn's; null without a figure of drgn's. */
      readonly againstDrgn: { readonly time: number; readonly memory: number | null } | null;
    }
  | { readonly tool: ToolName; readonly status: "not found" | "not run" | "failed"; readonly reason: string };

/** The runs of one tool as figures; `againstDrgn` is still empty, for it needs the others. */
export function measuredOutcome(tool: ToolName, version: string, gives: string, runs: readonly Run[]): Outcome {
  const peaks = runs.map((run) => run.peakKiB);
  return {
    tool,
    status: "measured",
    version,
    gives,
    seconds: summarise(runs.map((run) => run.seconds)),
    peakKiB: peaks.every((peak) => peak !== null) ? summarise(peaks) : null,
    againstDrgn: null,
  };
}

/** Adds the ratios of the medians against drgn's. */
export function withRatios(outcomes: readonly Outcome[]): Outcome[] {
  const drgn = outcomes.find((outcome) => outcome.tool === "drgn");
  if (drgn?.status !== "measured") return [...outcomes];
  return outcomes.map((outcome) => {
    if (outcome.status !== "measured") return outcome;
    const memory =
      outcome.peakKiB === null || drgn.peakKiB === null ? null : outcome.peakKiB.median / drgn.peakKiB.median;
    return { ...outcome, againstDrgn: { time: outcome.seconds.median / drgn.seconds.median, memory } };
  });
}

/** Why a run gave no backtrace, in one line: what the tool said last, if anything. */
export function failureReason(run: Run): string {
  const last = lastWords(`${run.stdout}\n${run.stderr}`) ?? "no message";
  const end = run.status === 0 ? "no backtrace" : run.status === 124 ? "time limit" : `exit status ${run.status}`;
  return `${end}: ${last}`;
}

/** Runs every tool `n` times in turn (A B C A B C), so that a busy moment of the machine hits all of them alike. */
export function interleave<T, R>(tools: readonly T[], n: number, run: (tool: T, turn: number) => R): Map<T, R[]> {
  const results = new Map<T, R[]>(tools.map((tool) => [tool, []]));
  for (let turn = 0; turn < n; turn++) for (const tool of tools) results.get(tool)!.push(run(tool, turn));
  return results;
}
