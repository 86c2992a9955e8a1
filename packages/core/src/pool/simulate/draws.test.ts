import { expect, test } from "vitest";
import { randomStreams } from "../random/random-stream.ts";
import { gapDraws, holdDraws } from "./draws.ts";
import { burstyArrivals, type HoldLaw, meanHold, meanRate } from "./laws.ts";

const N = 200_000;

const HOLDS: readonly (readonly [HoldLaw, cv: number])[] = [
  [{ kind: "exponential", mean: 0.02 }, 1],
  [{ kind: "deterministic", mean: 0.02 }, 0],
  [{ kind: "lognormal", mean: 3, cv: 0.7 }, 0.7],
  [{ kind: "hyperexponential", mean: 3, cv: 2 }, 2],
  [{ kind: "hyperexponential", mean: 3, cv: 1 }, 1],
  // Uniform over (0, 1): variance 1/12.
  [{ kind: "empirical", bins: [{ low: 0, high: 1, count: 5 }] }, Math.sqrt(1 / 12) / 0.5],
  // Of uniform logarithms over (1, 2): mean 1/ln 2, second moment 3 / (2 ln 2).
  [{ kind: "empirical", bins: [{ low: 1, high: 2, count: 5 }, { low: 9, high: 9.5, count: 0 }] }, Math.sqrt((3 * Math.LN2) / 2 - 1)], // biome-ignore format: a row
];

test.each(HOLDS)("%j has its mean, and varies by %d of it", (law, cv) => {
  const draws = holdDraws(law, randomStreams(5, 1)[0]!, null);
  const values = Array.from({ length: N }, () => draws.next());
  const mean = values.reduce((sum, value) => sum + value, 0) / N;
  expect(Math.abs(mean / meanHold(law)! - 1)).toBeLessThan((4 * cv) / Math.sqrt(N) + 1e-9);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / N;
  expect(Math.abs(Math.sqrt(variance) / mean - cv)).toBeLessThan(0.03);
});

test.each([
  [{ kind: "poisson", rate: 50 }],
  [{ kind: "periodic", rate: 50 }],
  [burstyArrivals(50, 5, 0.1)],
  [{ kind: "mmpp", phases: [10, 20, 0].map((rate) => ({ rate, meanDuration: 0.5 })) }],
] as const)("%j comes at its rate", (law) => {
  const draws = gapDraws(law, randomStreams(6, 1)[0]!);
  let time = 0;
  for (let count = 0; count < N; count++) time += draws.next();
  expect(N / time / meanRate(law)).toBeCloseTo(1, 1);
});

test("a trace is played as it is, and is then over", () => {
  const times = Float64Array.of(0, 0.5, 2);
  const draws = gapDraws({ kind: "trace", times, holds: null }, randomStreams(6, 1)[0]!);
  expect([draws.next(), draws.next(), draws.next(), draws.next()]).toEqual([0, 0.5, 1.5, Number.POSITIVE_INFINITY]);
  const holds = holdDraws({ kind: "trace" }, randomStreams(6, 1)[0]!, Float64Array.of(3, 1));
  expect([holds.next(), holds.next(), holds.next()]).toEqual([3, 1, 0]);
});
