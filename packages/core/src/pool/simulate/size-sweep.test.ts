import { expect, test } from "vitest";
import { engset, erlangB, erlangC } from "./formulas.ts";
import { burstyArrivals } from "./laws.ts";
import { pool } from "./models.fixture.ts";
import { refusedMmpp } from "./reference.fixture.ts";
import { sizePool } from "./size-pool.ts";
import { sweepPool } from "./sweep-pool.ts";

/** The smallest pool whose probability is at most a target. */
function smallest(target: number, probability: (stacks: number) => number): number {
  let stacks = 0;
  while (probability(stacks) > target) stacks++;
  return stacks;
}

test("where Erlang B holds it is the answer, and the simulation agrees with it", () => {
  const size = sizePool(pool(0, 2), 0.001, { seed: 1, events: 1_000_000 });
  const truth = smallest(0.001, (stacks) => erlangB(2, stacks));
  expect(size).toMatchObject({ stacks: truth, basis: "formula", formula: { name: "Erlang B", stacks: truth } });
  expect(size.shownEnough).toBeGreaterThanOrEqual(truth);
  expect(size.shownEnough).toBeLessThanOrEqual(truth + 1);
  expect(size.shownTooFew).toBeLessThan(truth);
  expect(size.shownTooFew).toBeGreaterThanOrEqual(truth - 2);
  expect(size.memory!.bytes).toBe(truth * size.memory!.bytesPerStack);
});

test.each([
  ["few tasks: Engset", pool(0, 0.2, { tasks: 20 }), (stacks: number) => engset(20, 0.2, stacks)],
  ["tasks that wait: Erlang C", pool(0, 3, { policy: "sleep" }), (stacks: number) => erlangC(3, stacks)],
])("%s", (_, model, probability) => {
  const size = sizePool(model, 0.01, { seed: 2, events: 400_000 });
  expect(size.stacks).toBe(smallest(0.01, probability));
  expect(size.basis).toBe("formula");
  expect(Math.abs(size.shownEnough! - size.stacks!)).toBeLessThanOrEqual(1);
});

test("bursts: no formula holds, and Erlang's is far off", () => {
  const arrivals = burstyArrivals(2, 3, 15);
  const size = sizePool(pool(0, 2, { arrivals }), 0.01, { seed: 3, events: 1_000_000 });
  if (arrivals.kind !== "mmpp") throw new Error("bursts are an MMPP");
  const truth = smallest(0.01, (stacks) => refusedMmpp(arrivals.phases, stacks));
  expect(size.formula).toBe(null);
  expect(size.stacks).toBeGreaterThanOrEqual(truth);
  expect(size.stacks).toBeLessThanOrEqual(truth + 1);
  expect(size.erlangBStacks).toBeLessThan(truth - 3);
  expect(size.notes.join()).toContain(`would have said ${size.erlangBStacks}`);
});

test("a target that so many events cannot prove is said to be one, whatever the size; nothing hangs", () => {
  const arrivals = burstyArrivals(2, 3, 15);
  const size = sizePool(pool(0, 2, { arrivals }), 1e-9, { seed: 4, events: 100_000 });
  expect([size.stacks, size.basis]).toEqual([null, null]);
  expect(size.provable).toBeGreaterThan(1e-5);
  expect(size.notes[0]).toMatch(/^the target is below what so many events can prove/);
  expect(sizePool(pool(0, 2), 1e-9, { seed: 4, events: 100_000 }).stacks).toBe(smallest(1e-9, (n) => erlangB(2, n)));
});

test.each([0, 1, -1, Number.NaN])("%d is no target", (target) => {
  expect(() => sizePool(pool(0, 2), target, { seed: 1 })).toThrow("the target is a probability");
});

test("a sweep has each size with its formula, and memory in proportion", () => {
  const { points, formula } = sweepPool(pool(0, 2), { from: 0, to: 8, step: 2 }, { seed: 5, events: 100_000 });
  expect(formula).toBe("Erlang B");
  expect(points.map(({ stacks }) => stacks)).toEqual([0, 2, 4, 6, 8]);
  for (const { stacks, probability, ci99, memoryBytes } of points) {
    expect(ci99[0]).toBeLessThanOrEqual(erlangB(2, stacks));
    expect(ci99[1]).toBeGreaterThanOrEqual(erlangB(2, stacks));
    expect(probability).toBeGreaterThanOrEqual(ci99[0]);
    expect(memoryBytes).toBe((points[1]!.memoryBytes / 2) * stacks);
  }
});

test("of pools that wait, those which can never keep up have no wait", () => {
  const { points } = sweepPool(
    pool(0, 2, { policy: "sleep" }),
    { from: 1, to: 4, step: 1 },
    { seed: 5, events: 50_000 },
  );
  expect(points.map(({ meanWait }) => meanWait === null)).toEqual([true, true, false, false]);
  expect(points[3]!.meanWait).toBeLessThan(points[2]!.meanWait!);
});

test.each([
  { from: 3, to: 1, step: 1 },
  { from: 0, to: 1e6, step: 1 },
  { from: 0.5, to: 3, step: 1 },
  { from: 0, to: 3, step: 0 },
])("%j is no range", (range) => {
  expect(() => sweepPool(pool(0, 2), range, { seed: 1, events: 1000 })).toThrow("a sweep goes up");
});
