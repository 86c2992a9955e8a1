import fc from "fast-check";
import { expect, test } from "vitest";
import { randomStreams } from "../random/random-stream.ts";
import { ratioInterval } from "./batches.ts";
import { betaQuantile, logGamma, regularizedBeta } from "./incomplete-beta.ts";
import { meanInterval } from "./interval.ts";
import { proportionInterval } from "./proportion.ts";
import { studentProbability, studentQuantile } from "./student.ts";

test.each([
  [1, 0],
  [0.5, Math.log(Math.sqrt(Math.PI))],
  [5, Math.log(24)],
  [101, 363.7393755555635],
])("ln of gamma(%d) is %d", (x, expected) => {
  expect(logGamma(x)).toBeCloseTo(expected, 12);
});

// Tables of Student's distribution, any textbook.
test.each([
  [0.995, 1, 63.657],
  [0.995, 7, 3.499],
  [0.995, 30, 2.75],
  [0.975, 10, 2.228],
  [0.995, 127, 2.6154],
  [0.005, 7, -3.499],
])("Student's %d quantile with %d degrees of freedom is %d", (p, freedom, expected) => {
  expect(studentQuantile(p, freedom)).toBeCloseTo(expected, 3);
});

test("quantiles invert their distributions", () => {
  const p = fc.double({ min: 0.0001, max: 0.9999, noNaN: true });
  fc.assert(
    fc.property(p, fc.integer({ min: 1, max: 500 }), (p, freedom) => {
      expect(studentProbability(studentQuantile(p, freedom), freedom)).toBeCloseTo(p, 9);
    }),
  );
  const parameter = fc.double({ min: 0.5, max: 1e5, noNaN: true });
  fc.assert(
    fc.property(p, parameter, parameter, (p, a, b) => {
      expect(regularizedBeta(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 7);
    }),
  );
});

test("a mean of values that are all alike is certain; of one value it says nothing", () => {
  expect(meanInterval([3, 3, 3])).toEqual({ mean: 3, ci99: [3, 3] });
  expect(meanInterval([3]).ci99).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  // 1 … 5: mean 3, standard error sqrt(1/2), t(0.995, 4) = 4.604
  const { ci99 } = meanInterval([1, 2, 3, 4, 5]);
  expect(ci99[0]).toBeCloseTo(3 - 4.6041 * Math.SQRT1_2, 4);
});

/** Counts, out of many runs, those whose interval holds the truth. */
function covered(runs: number, run: (seed: number) => readonly [number, number], truth: number): number {
  let inside = 0;
  for (let seed = 0; seed < runs; seed++) {
    const [low, high] = run(seed);
    if (low <= truth && truth <= high) inside++;
  }
  return inside / runs;
}

/** Hits that come in runs: a two-state chain in its steady state, with hits in a share p of the time. */
function chain(seed: number, p: number, stay: number, trials: number, count: number) {
  const [random] = randomStreams(seed, 1);
  const sums = new Float64Array(count);
  let hit = random!.uniform() < p;
  for (let trial = 0; trial < trials; trial++) {
    if (random!.uniform() >= stay) hit = random!.uniform() < p;
    if (hit) sums[Math.floor((trial * count) / trials)]! += 1;
  }
  return { sums, weights: new Float64Array(count).fill(trials / count) };
}

test.each([
  ["independent", 0.1, 0, 12_800],
  ["rare", 0.0005, 0, 12_800],
  ["in runs of 10", 0.1, 0.9, 25_600],
  ["in runs of 100", 0.3, 0.99, 51_200],
])("99 of 100 intervals hold the truth: hits %s", (_, p, stay, trials) => {
  const share = covered(500, (seed) => proportionInterval(chain(seed, p, stay, trials, 128)).ci99, p);
  expect(share).toBeGreaterThanOrEqual(0.978);
});

test("batches that depend on each other are put together, and where that does not help it is said", () => {
  const independent = ratioInterval(chain(1, 0.3, 0, 12_800, 128));
  expect(independent.batches).toBe(128);
  const runs = ratioInterval(chain(1, 0.3, 0.995, 51_200, 128));
  expect(runs.batches).toBeLessThan(128);
  const sums = Float64Array.from({ length: 128 }, (_, index) => index);
  expect(ratioInterval({ sums, weights: new Float64Array(128).fill(1) }).correlated).toBe(true);
});

test("no hit at all is no proof of impossibility: about 5.3 / trials is the upper end", () => {
  const none = { sums: new Float64Array(128), weights: new Float64Array(128).fill(1000) };
  const { ci99 } = proportionInterval(none);
  expect(ci99[0]).toBe(0);
  expect(ci99[1] * 128_000).toBeGreaterThan(5.29);
  expect(ci99[1] * 128_000).toBeLessThan(5.6);
  // Trials that are correlated as their companion is are worth less.
  const sums = Float64Array.from({ length: 128 }, (_, index) => (index % 2 === 0 ? 900 : 1100));
  const companion = { batches: { sums, weights: none.weights }, variance: 1 };
  expect(proportionInterval(none, companion).ci99[1]).toBeGreaterThan(ci99[1] * 5);
});
