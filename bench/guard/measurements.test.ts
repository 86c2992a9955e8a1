import { expect, test } from "vitest";
import { compareStates, readMeasurements } from "./measurements.ts";

const OUTPUT = `[    1.0] noise
round 1
none write: write(2): 1000 ns each
direct-idle write: write(2): 1010 ns each
direct-idle kernel_write: [    9.8] cascade: kernel_write: 77 ns each
round 2
none write: write(2): 2000 ns each
direct-idle write: write(2): 2100 ns each
`;

test("figures are read with their round, state and call", () => {
  const found = readMeasurements(OUTPUT);
  expect(found).toHaveLength(5);
  expect(found[2]).toEqual({ round: 1, state: "direct-idle", call: "kernel_write", cost: 77 });
});

test("a state is compared with the same round, and the ratios have a median", () => {
  const rows = compareStates(readMeasurements(OUTPUT).filter((m) => m.call === "write"));
  expect(rows).toEqual([
    {
      call: "write",
      state: "direct-idle",
      median: 1555,
      ratio: { median: expect.closeTo(1.03), lower: 1.01, upper: 1.05 },
    },
    { call: "write", state: "none", median: 1500, ratio: { median: 1, lower: 1, upper: 1 } },
  ]);
});
