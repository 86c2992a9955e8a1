import fc from "fast-check";
import { expect, test } from "vitest";
import { HOLD_LAWS, pool } from "./models.fixture.ts";
import { refusedOf, type Visit, waitsOf } from "./reference.fixture.ts";
import { simulatePool } from "./simulate-pool.ts";

const stacks = fc.integer({ min: 1, max: 6 });

/** Visits in order of time; the last comes after all others are over. Fractions keep two things from happening at once. */
const visits: fc.Arbitrary<Visit[]> = fc
  .array(
    fc.record({
      gap: fc.double({ min: 1e-6, max: 3, noNaN: true }),
      hold: fc.double({ min: 1e-6, max: 9, noNaN: true }),
    }),
    {
      minLength: 1,
      maxLength: 300,
    },
  )
  .map((steps) => {
    let time = 0;
    const visits = steps.map(({ gap, hold }) => {
      time += gap;
      return { time, hold };
    });
    return [...visits, { time: time + 10_000, hold: 1 }];
  });

function ofVisits(visits: readonly Visit[], stacks: number, policy: "eio" | "sleep") {
  return simulatePool(
    pool(stacks, 1, {
      policy,
      hold: { kind: "trace" },
      arrivals: {
        kind: "trace",
        times: Float64Array.from(visits, ({ time }) => time),
        holds: Float64Array.from(visits, ({ hold }) => hold),
      },
    }),
    { events: 1000, seed: 1 },
  );
}

test("of any arrivals, exactly those are refused that find every stack in use", () => {
  fc.assert(
    fc.property(visits, stacks, (visits, stacks) => {
      const { refusal, run } = ofVisits(visits, stacks, "eio");
      expect([refusal.count, run.attempts]).toEqual([refusedOf(visits, stacks), visits.length]);
    }),
  );
});

test("work is conserved: nobody waits while a stack is free, and whoever came first is served first", () => {
  fc.assert(
    fc.property(visits, stacks, (visits, stacks) => {
      const { wait, refusal } = ofVisits(visits, stacks, "sleep");
      const waits = waitsOf(visits, stacks);
      const longest = Math.max(...waits);
      expect(refusal.count).toBe(0);
      expect(wait!.mean).toBeCloseTo(waits.reduce((sum, wait) => sum + wait, 0) / waits.length, 7);
      expect(wait!.longest).toBeCloseTo(longest, 7);
    }),
  );
});

test("Little's law, to the last second: stacks in use by time are the time that stacks were held", () => {
  fc.assert(
    fc.property(visits, stacks, fc.constantFrom("eio", "sleep"), (visits, stacks, policy) => {
      const { occupancy, holds, run } = ofVisits(visits, stacks, policy as "eio" | "sleep");
      // The last visit is not over.
      const held = holds.mean! * holds.count - visits.at(-1)!.hold;
      expect(occupancy.mean * run.seconds).toBeCloseTo(held, 6);
      expect(occupancy.timeShare.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    }),
  );
});

const load = fc.double({ min: 0.2, max: 8, noNaN: true });
const law = fc.constantFrom(...HOLD_LAWS.map(([, hold]) => hold));
const seed = fc.nat();

test("PASTA: Poisson arrivals see what is there on average; and Little's law in the long run", () => {
  fc.assert(
    fc.property(load, stacks, law, seed, (load, stacks, hold, seed) => {
      const { occupancy, holds, run } = simulatePool(pool(stacks, load, { hold }), { events: 30_000, seed });
      const { ci99, mean, seenByArrivals } = occupancy;
      expect(Math.abs(seenByArrivals - mean)).toBeLessThan(2 * (ci99[1] - ci99[0]) + 0.002);
      const littles = (holds.count / run.seconds) * holds.mean!;
      expect(Math.abs(littles - mean) / mean).toBeLessThan(0.02);
    }),
    { numRuns: 30, seed: 7 },
  );
});

test("arrivals that are not Poisson may see something else: a periodic task that leaves before it comes again sees nothing", () => {
  const { occupancy } = simulatePool(
    pool(3, 1, { arrivals: { kind: "periodic", rate: 1 }, hold: { kind: "deterministic", mean: 0.9 } }),
    { events: 10_000, seed: 1 },
  );
  expect(occupancy.seenByArrivals).toBe(0);
  expect(occupancy.mean).toBeCloseTo(0.9, 3);
});

test("a list for each CPU changes whom a stack comes from, never who gets one", () => {
  fc.assert(
    fc.property(load, stacks, seed, fc.constantFrom("eio", "sleep"), (load, stacks, seed, policy) => {
      const model = pool(stacks, load, {
        policy: policy as "eio" | "sleep",
        tasks: 20,
        nest: 0.2,
        sleep: { probability: 0.3, law: { kind: "exponential", mean: 2 } },
      });
      const [one, four] = [1, 4].map((cpus) => simulatePool({ ...model, cpus }, { events: 4000, seed }));
      expect({ ...four, steals: null }).toEqual(one);
      expect(four!.steals!.count).toBeLessThanOrEqual(four!.holds.count);
    }),
    { numRuns: 30 },
  );
});
