import { expect, test } from "vitest";
import { engset, erlangB, erlangC, erlangCWait } from "./formulas.ts";
import { type ArrivalLaw, burstyArrivals, meanRate } from "./laws.ts";
import { HOLD_LAWS, pool } from "./models.fixture.ts";
import { refusedMmpp } from "./reference.fixture.ts";
import { simulatePool } from "./simulate-pool.ts";

function expectInside(truth: number, [low, high]: readonly [number, number]): void {
  expect(low).toBeLessThanOrEqual(truth);
  expect(high).toBeGreaterThanOrEqual(truth);
}

// With as many stacks as tasks nobody is refused; with one stack and two tasks, b / (1 + b); with endlessly many tasks it is Erlang's.
test.each([
  [4, 0.5, 4, 0],
  [2, 0.5, 1, 0.5 / 1.5],
  [1_000_000, 2e-6, 5, erlangB(2, 5)],
])("Engset: %d tasks of %d, %d stacks", (tasks, each, stacks, expected) => {
  expect(engset(tasks, each, stacks)).toBeCloseTo(expected, 5);
});

test.each(
  [
    [6, 0.5, 3],
    [12, 0.45, 4],
    [30, 0.1, 5],
  ].flatMap(([tasks, each, stacks]) => HOLD_LAWS.map(([name, hold]) => [tasks!, each!, stacks!, name, hold] as const)),
)("%d tasks of %d each, %d stacks, %s: Engset, and not Erlang B", (tasks, each, stacks, _, hold) => {
  const { refusal, formula } = simulatePool(pool(stacks, each, { tasks, hold }), { events: 100_000, seed: 11 });
  expect(formula).toEqual({ name: "Engset", refusal: engset(tasks, each, stacks) });
  expectInside(engset(tasks, each, stacks), refusal.ci99);
  expect(refusal.ci99[1]).toBeLessThan(erlangB(tasks * each, stacks));
});

test.each([
  [1, 0.5, 0.5, 1],
  [2, 1, 1 / 3, 1 / 3],
  [5, 2, 0.0597, 0.0199],
])(
  "%d stacks, %d erlang: of those who may wait, %d do, for %d s on average (Erlang C)",
  (stacks, load, waits, mean) => {
    expect(erlangC(load, stacks)).toBeCloseTo(waits, 4);
    expect(erlangCWait(load, stacks, 1)).toBeCloseTo(mean, 4);
    const { wait, refusal, formula } = simulatePool(pool(stacks, load, { policy: "sleep" }), {
      events: 300_000,
      seed: 5,
    });
    expect(refusal.count).toBe(0);
    expect(formula!.wait).toBe(erlangC(load, stacks));
    expectInside(erlangC(load, stacks), wait!.probabilityCi99);
    expectInside(erlangCWait(load, stacks, 1), wait!.ci99);
  },
);

test("one stack, constant hold times: Pollaczek and Khinchine's half of the wait", () => {
  const hold = { kind: "deterministic", mean: 1 } as const;
  const { wait } = simulatePool(pool(1, 0.6, { policy: "sleep", hold }), { events: 300_000, seed: 6 });
  expectInside((0.6 * 1) / (2 * (1 - 0.6)), wait!.ci99);
});

test.each([
  ["bursts of 15 s at three times the mean rate", burstyArrivals(2, 3, 15), 0.34],
  ["short bursts at five times the mean rate", burstyArrivals(2, 5, 0.8), 0.345],
  ["two phases, neither of them quiet", mmpp([1, 5], [4, 5]), 0.116],
])("2 erlang, 5 stacks, %s: Erlang B misleads", (_, arrivals, about) => {
  expect(meanRate(arrivals)).toBeCloseTo(2, 9);
  const truth = refusedMmpp((arrivals as ArrivalLaw & { kind: "mmpp" }).phases, 5);
  expect(truth).toBeCloseTo(about, 2);
  const { refusal, formula } = simulatePool(pool(5, 2, { arrivals }), { events: 500_000, seed: 7 });
  expect(formula).toBe(null);
  expectInside(truth, refusal.ci99);
  expect(refusal.ci99[0]).toBeGreaterThan(2 * erlangB(2, 5));
});

function mmpp(...phases: readonly (readonly [rate: number, meanDuration: number])[]): ArrivalLaw {
  const [slow, fast] = phases;
  // So long in the slow phase that the mean is 2.
  const meanDuration = ((fast![0] - 2) * fast![1]) / (2 - slow![0]);
  return {
    kind: "mmpp",
    phases: [
      { rate: slow![0], meanDuration },
      { rate: fast![0], meanDuration: fast![1] },
    ],
  };
}

test("evenly spaced arrivals are refused less than Erlang B says", () => {
  const arrivals = { kind: "periodic", rate: 2 } as const;
  const { refusal } = simulatePool(pool(5, 2, { arrivals }), { events: 400_000, seed: 8 });
  expect(refusal.ci99[1]).toBeLessThan(erlangB(2, 5) / 2);
});

test("sleeping for a nested stack can deadlock, failing cannot", () => {
  const one = { nest: 0.5, hold: { kind: "exponential", mean: 1 } } as const;
  const sleeping = simulatePool(pool(1, 0.3, { ...one, policy: "sleep" }), { events: 100_000, seed: 9 });
  // Whoever nests on the only stack waits for itself.
  expect(sleeping.deadlocks!.count / sleeping.holds.count).toBeCloseTo(0.5, 1);
  expect(sleeping.deadlocks!.tasks).toBeGreaterThanOrEqual(1);
  const failing = simulatePool(pool(1, 0.3, one), { events: 100_000, seed: 9 });
  expect(failing.deadlocks).toBe(null);
  expect(failing.refusal.nested / failing.holds.count).toBeCloseTo(0.5, 1);
  // Few tasks and enough stacks for all that each can take: never.
  const enough = pool(64, 0.3, { ...one, policy: "sleep", tasks: 2 });
  expect(simulatePool(enough, { events: 100_000, seed: 9 }).deadlocks!.count).toBe(0);
  expect(simulatePool(pool(8, 5, { policy: "sleep" }), { events: 10_000, seed: 9 }).deadlocks).toBe(null);
});

test("who is refused a nested stack gives back all it holds", () => {
  // A task alone with two stacks: refused where the second level, reached by half, comes to need a third (by half again).
  const { refusal, holds, run } = simulatePool(pool(2, 1, { tasks: 1, nest: 0.5 }), { events: 100_000, seed: 10 });
  expect(refusal.count).toBe(refusal.nested);
  expect(refusal.nested / run.calls).toBeCloseTo(0.25, 1);
  expect(holds.count / run.calls).toBeCloseTo(1.5, 1);
});

test("where more comes than can be served, the queue is bounded and the answer says so", () => {
  const { steady, wait, notes } = simulatePool(pool(2, 300, { policy: "sleep" }), { events: 2_000_000, seed: 1 });
  expect([steady, wait]).toEqual([false, null]);
  expect(notes[0]).toContain("more tasks come than the stacks can serve");
  const none = simulatePool(pool(0, 3, { policy: "sleep", tasks: 5 }), { events: 5000, seed: 1 });
  expect(none.run.attempts).toBe(0);
});

test("a run too short for its laws says so", () => {
  const rare = pool(5, 2, { hold: { kind: "hyperexponential", mean: 1, cv: 1000 } });
  expect(simulatePool(rare, { events: 100_000, seed: 1 }).notes.join()).toMatch(
    /hold times came out as 0\.\d+ s on average, not 1:/,
  );
  const bursts = pool(5, 2, { arrivals: burstyArrivals(2, 5, 1e6) });
  expect(simulatePool(bursts, { events: 100_000, seed: 1 }).notes.join()).toMatch(/calls came at .* a second, not 2:/);
  expect(simulatePool(pool(5, 2), { events: 100_000, seed: 1 }).notes).toEqual([]);
  const endless = pool(5, 2, { arrivals: burstyArrivals(2, 1e9, 1000) });
  expect(() => simulatePool(endless, { events: 100_000, seed: 1 })).toThrow("no run would ever see the second");
});

test("no stacks at all: everything is refused", () => {
  const { refusal, occupancy } = simulatePool(pool(0, 3), { events: 5000, seed: 1 });
  expect(refusal.probability).toBe(1);
  expect(refusal.ci99[1]).toBe(1);
  expect(occupancy.mean).toBe(0);
});
