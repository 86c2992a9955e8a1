import { studentQuantile } from "./student.ts";

/** Two-sided, at 99 %: what every interval of Spillway's simulations is. */
export const CONFIDENCE = 0.99;

/** An estimate with its 99 % confidence interval. */
export interface Estimate {
  readonly mean: number;
  readonly ci99: readonly [low: number, high: number];
}

/**
 * The mean of values that are independent of each other (one from each replication, say), by Student's distribution.
 * @returns the interval is infinitely wide where there are fewer than two values; NaN as mean where there is none
 */
export function meanInterval(values: ArrayLike<number>): Estimate {
  const count = values.length;
  let sum = 0;
  for (let index = 0; index < count; index++) sum += values[index]!;
  const mean = sum / count;
  if (count < 2) return { mean, ci99: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] };
  let squares = 0;
  for (let index = 0; index < count; index++) squares += (values[index]! - mean) ** 2;
  const half = studentQuantile(0.5 + CONFIDENCE / 2, count - 1) * Math.sqrt(squares / (count * (count - 1)));
  return { mean, ci99: [mean - half, mean + half] };
}
