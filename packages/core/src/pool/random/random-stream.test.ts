import { expect, test } from "vitest";
import { MAX_SEED, type RandomStream, randomStreams } from "./random-stream.ts";

const draw = (stream: RandomStream, count: number) => Array.from({ length: count }, () => stream.uniform());

test("the same seed gives the same numbers, to the bit; so does another day", () => {
  const [one] = randomStreams(42, 1);
  const [other] = randomStreams(42, 3);
  expect(draw(one!, 100)).toEqual(draw(other!, 100));
  expect(draw(randomStreams(42, 1)[0]!, 3)).toEqual([0.6795071241851541, 0.9872868062678734, 0.9291566704919126]);
});

test("streams do not disturb each other", () => {
  const [, alone] = randomStreams(7, 2);
  const [first, beside] = randomStreams(7, 2);
  draw(first!, 1000);
  expect(draw(beside!, 10)).toEqual(draw(alone!, 10));
});

/** Correlation of two samples of uniform numbers; about 1/sqrt(n) for independent ones. */
function correlation(one: readonly number[], other: readonly number[]): number {
  return (12 * one.reduce((sum, x, index) => sum + (x - 0.5) * (other[index]! - 0.5), 0)) / one.length;
}

test("neither streams of a seed nor those of neighbouring seeds resemble each other", () => {
  const n = 40_000;
  const samples = [0, 1, 2, 3, MAX_SEED].flatMap((seed) => randomStreams(seed, 2).map((stream) => draw(stream, n)));
  samples.forEach((one, index) => {
    for (const other of samples.slice(index + 1)) {
      expect(Math.abs(correlation(one, other))).toBeLessThan(4.5 / Math.sqrt(n));
    }
  });
});

test("first draws of many seeds are uniform", () => {
  const first = Array.from({ length: 10_000 }, (_, seed) => randomStreams(seed, 1)[0]!.uniform());
  const bins = new Array(20).fill(0);
  for (const value of first) bins[Math.floor(value * 20)]++;
  const chiSquare = bins.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0);
  expect(chiSquare).toBeLessThan(43.8); // 99.9 % point with 19 degrees of freedom
});

test.each([
  ["uniform", (stream: RandomStream) => stream.uniform(), 1 / 2, 1 / 12],
  ["exponential", (stream: RandomStream) => stream.exponential(), 1, 1],
  ["normal", (stream: RandomStream) => stream.normal(), 0, 1],
  ["below 6", (stream: RandomStream) => stream.below(6), 2.5, 35 / 12],
])("%s: mean and variance", (_, value, mean, variance) => {
  const n = 200_000;
  const [stream] = randomStreams(3, 1);
  const values = Array.from({ length: n }, () => value(stream!));
  const average = values.reduce((sum, x) => sum + x, 0) / n;
  expect(Math.abs(average - mean)).toBeLessThan(4 * Math.sqrt(variance / n));
  expect(values.reduce((sum, x) => sum + (x - average) ** 2, 0) / n / variance).toBeCloseTo(1, 1);
});

test.each([-1, 0.5, MAX_SEED + 1, Number.NaN])("%d is no seed", (seed) => {
  expect(() => randomStreams(seed, 1)).toThrow("a seed is a whole number");
});
