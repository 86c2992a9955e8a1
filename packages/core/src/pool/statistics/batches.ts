import { CONFIDENCE, type Estimate } from "./interval.ts";
import { studentQuantile } from "./student.ts";

/** Sums over equal stretches of one long run: of what is averaged, and of what it is averaged over (calls, seconds, …). */
export interface Batches {
  readonly sums: Float64Array;
  readonly weights: Float64Array;
}

/** A ratio Σ sums / Σ weights, and how far it may be off. */
export interface RatioEstimate extends Estimate {
  /** Of the ratio; 0 where there was nothing to vary. */
  readonly standardError: number;
  /** Batches that the variance was estimated from. */
  readonly batches: number;
  /** Even the longest batches depend on each other: the run is too short for its interval to be trusted. */
  readonly correlated: boolean;
}

/** Fewer batches say too little about their own variance. */
const FEWEST_BATCHES = 8;
/** One-sided 80 % point of the normal distribution, for the test of correlation: rather too few batches than too short ones. */
const NORMAL_80 = 0.8416;

/** Neighbours put together: half as many batches, each twice as long. */
export function pairUp({ sums, weights }: Batches): Batches {
  const half = sums.length >> 1;
  const pair = (values: Float64Array) =>
    Float64Array.from({ length: half }, (_, index) => values[2 * index]! + values[2 * index + 1]!);
  return { sums: pair(sums), weights: pair(weights) };
}

function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** Correlation of neighbouring residuals; positive where batches are too short. */
function lagOne(residuals: Float64Array): number {
  let squares = 0;
  let products = 0;
  for (let index = 0; index < residuals.length; index++) {
    squares += residuals[index]! ** 2;
    if (index > 0) products += residuals[index]! * residuals[index - 1]!;
  }
  return squares === 0 ? 0 : products / squares;
}

/**
 * Estimates a ratio by batch means: its variance from the residuals sums - ratio · weights (the classical ratio estimator), of
 * batches that are put together in pairs until neighbours are not correlated any more, after Fishman, "Grouping observations in
 * digital simulation", 1978. The test is von Neumann's, one-sided at 20 %.
 * @param batches a power of two of them, at least 8; in the order in which they happened
 */
export function ratioInterval(batches: Batches): RatioEstimate {
  const weight = total(batches.weights);
  const ratio = total(batches.sums) / weight;
  for (let current = batches; ; current = pairUp(current)) {
    const count = current.sums.length;
    const residuals = current.sums.map((sum, index) => sum - ratio * current.weights[index]!);
    const bound = NORMAL_80 * Math.sqrt((count - 2) / (count * count - 1));
    // Residuals add up to nothing, which pushes the correlation of independent ones below 0, to about -1 / count.
    const correlated = lagOne(residuals) + 1 / count > bound;
    if (correlated && count >= 2 * FEWEST_BATCHES) continue;
    let squares = 0;
    for (const residual of residuals) squares += residual * residual;
    const standardError = Math.sqrt((squares * count) / (count - 1)) / weight;
    const half = studentQuantile(0.5 + CONFIDENCE / 2, count - 1) * standardError;
    return { mean: ratio, ci99: [ratio - half, ratio + half], standardError, batches: count, correlated };
  }
}
