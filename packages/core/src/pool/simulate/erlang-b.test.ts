import { expect, test } from "vitest";
import { erlangB, erlangBStacks } from "./formulas.ts";
import { meanHold } from "./laws.ts";
import { HOLD_LAWS, pool } from "./models.fixture.ts";
import { simulatePool } from "./simulate-pool.ts";

test.each([
  [8, 10, 0.12166],
  [2, 5, 0.0367],
  [1, 1, 0.5],
  [0, 3, 0],
  [5, 0, 1],
])("Erlang B of %d erlang and %d stacks is %d", (load, stacks, expected) => {
  expect(erlangB(load, stacks)).toBeCloseTo(expected, 5);
});

test("the smallest pool for a target", () => {
  const stacks = erlangBStacks(2, 1e-6, 100)!;
  expect(erlangB(2, stacks)).toBeLessThanOrEqual(1e-6);
  expect(erlangB(2, stacks - 1)).toBeGreaterThan(1e-6);
  expect(erlangBStacks(500, 1e-6, 100)).toBe(null);
});

/** Load in erlang, and stacks. */
const POINTS = [
  [0.2, 1],
  [0.5, 2],
  [1, 1],
  [1, 3],
  [2, 3],
  [2, 5],
  [4, 6],
  [8, 10],
  [12, 12],
  [20, 25],
  [40, 40],
  [3, 8],
] as const;

test.each(POINTS.flatMap(([load, stacks]) => HOLD_LAWS.map(([name, hold]) => [load, stacks, name, hold] as const)))(
  "%d erlang, %d stacks, %s hold times: within the 99 %% interval of Erlang B",
  (load, stacks, _, hold) => {
    const { refusal } = simulatePool(pool(stacks, load, { hold }), { events: 100_000, seed: 1 });
    const truth = erlangB(load, stacks);
    expect(refusal.ci99[0]).toBeLessThanOrEqual(truth);
    expect(refusal.ci99[1]).toBeGreaterThanOrEqual(truth);
    // An interval that holds everything would prove nothing.
    expect(refusal.ci99[1] - refusal.ci99[0]).toBeLessThan(0.5 * truth + 0.01);
  },
);

test.each([
  [8, 10, "deterministic", 20_000],
  [2, 5, "hyperexponential", 20_000],
  [3, 8, "lognormal", 20_000],
  [2, 9, "exponential", 20_000],
])("%d erlang, %d stacks, %s: of 200 seeds' intervals about 99 %% hold the truth", (load, stacks, name, events) => {
  const hold = HOLD_LAWS.find(([law]) => law === name)![1];
  const truth = erlangB(load, stacks);
  let inside = 0;
  for (let seed = 0; seed < 200; seed++) {
    const [low, high] = simulatePool(pool(stacks, load, { hold }), { events, seed }).refusal.ci99;
    if (low <= truth && truth <= high) inside++;
  }
  // Of 200 independent intervals at 99 %, fewer than 193 hold the truth once in 500 times.
  expect(inside).toBeGreaterThanOrEqual(193);
});

test("sleeps, the deep share and empirical times load a pool by their means alone", () => {
  const bins = [
    { low: 0, high: 0.5, count: 30 },
    { low: 0.5, high: 4, count: 70 },
  ];
  const hold = { kind: "empirical", bins } as const;
  const model = pool(5, 4, {
    deep: 0.4,
    hold,
    sleep: { probability: 0.3, law: { kind: "deterministic", mean: 1 } },
  });
  const load = 4 * 0.4 * (meanHold(hold)! + 0.3);
  const { refusal, offeredErlang, formula } = simulatePool(model, { events: 400_000, seed: 2 });
  expect(offeredErlang).toBeCloseTo(load, 12);
  expect(formula).toEqual({ name: "Erlang B", refusal: erlangB(offeredErlang!, 5) });
  expect(refusal.ci99[0]).toBeLessThanOrEqual(erlangB(load, 5));
  expect(refusal.ci99[1]).toBeGreaterThanOrEqual(erlangB(load, 5));
});
