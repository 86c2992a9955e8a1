import type { SweepDocument } from "@spillway/core";
import { expect, test } from "vitest";
import { recorder } from "../../testing/recorder.ts";
import { formatSweep } from "./sweep.ts";

/** Each stack makes a tenth of the refusals of the one before; the last size saw none. */
const SWEEP: SweepDocument = {
  schema: "spillway/pool-sweep@1",
  policy: "eio",
  offeredErlang: 2,
  seed: 1,
  events: 1000,
  formula: null,
  points: [0.1, 0.01, 0.001, 0].map((probability, index) => ({
    stacks: index + 1,
    probability,
    ci99: [probability / 2, 2 * probability + 1e-5],
    meanWait: null,
    formula: null,
    meanInUse: 1.5,
    highWater: index + 1,
    deadlocks: null,
    memoryBytes: 16_896 * (index + 1),
  })),
};

test("the table has every size, the curve those with refusals, on a scale of tens", async () => {
  const text = await formatSweep(SWEEP, recorder());
  expect(text).toMatch(/^ {7}4 +0 {2}0 to 1e-5 +1\.5 +4 +66 KiB$/m);
  expect(text.match(/^ *(1|0\.1|0\.01|0\.001)┤/gm)).toHaveLength(4);
  expect(text).toMatch(/^ +1 +2 +3$/m);
});

test("in ASCII where the terminal has nothing else", async () => {
  const text = await formatSweep(SWEEP, recorder({ unicode: false }));
  expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  expect(text.match(/^ *(1|0\.1|0\.01|0\.001)\+/gm)).toHaveLength(4);
});

test("of fewer than three points there is no curve, and of none that can keep up no wait", async () => {
  const text = await formatSweep({ ...SWEEP, points: SWEEP.points.slice(0, 2) }, recorder());
  expect(text).not.toContain("┤");
  const [first] = SWEEP.points;
  const unsteady = { ...SWEEP, policy: "sleep" as const, points: [{ ...first!, probability: null }] };
  expect(await formatSweep(unsteady, recorder())).toMatch(/^ {7}1 +- {2}no steady state/m);
});
