import { describe, expect, it } from "vitest";
import type { Run } from "../lib/run-measured.ts";
import { failureReason, interleave, measuredOutcome, type Outcome, withRatios } from "./comparison.ts";

const run = (over: Partial<Run> = {}): Run => ({
  seconds: 1,
  peakKiB: 1024,
  status: 0,
  stdout: "",
  stderr: "",
  ...over,
});

describe("interleave", () => {
  it("takes turns, so that no tool has the quiet half of the time to itself", () => {
    const order: string[] = [];
    const results = interleave(["a", "b", "c"], 2, (tool, turn) => {
      order.push(tool);
      return turn;
    });
    expect(order.join("")).toBe("abcabc");
    expect(results.get("b")).toEqual([0, 1]);
  });
});

describe("measuredOutcome", () => {
  it("gives no memory at all rather than one from some of the runs", () =>
    expect(measuredOutcome("drgn", "1", "backtrace", [run(), run({ peakKiB: null })])).toMatchObject({
      peakKiB: null,
    }));
});

describe("withRatios", () => {
  const spillway = measuredOutcome("spillway", "1", "verdict", [run({ seconds: 0.2, peakKiB: 100 })]);
  const drgn = measuredOutcome("drgn", "1", "backtrace", [run({ seconds: 0.4, peakKiB: 250 })]);
  const crash: Outcome = { tool: "crash", status: "not found", reason: "not found: crash" };

  it("divides medians by drgn's and leaves a missing tool in its place", () =>
    expect(withRatios([spillway, drgn, crash])).toEqual([
      { ...spillway, againstDrgn: { time: 0.5, memory: 0.4 } },
      { ...drgn, againstDrgn: { time: 1, memory: 1 } },
      crash,
    ]));
  it("has no ratios without drgn", () => expect(withRatios([spillway, crash])).toEqual([spillway, crash]));
});

describe("failureReason", () => {
  it.each([
    [{ status: 1, stderr: "warning: x\nerror: no such file\n" }, "exit status 1: error: no such file"],
    [{ status: 1 }, "exit status 1: no message"],
    [{ status: 0, stdout: "bt: seek error\n" }, "no backtrace: bt: seek error"],
    [{ status: 124 }, "time limit: no message"],
  ] as [Partial<Run>, string][])("of %j is %j", (over, reason) => expect(failureReason(run(over))).toBe(reason));
});
