import { betaQuantile, regularizedBeta } from "./incomplete-beta.ts";

/** P(T <= t) of Student's distribution; DLMF 8.17 through I_x(ν/2, 1/2) with x = ν / (ν + t²). */
export function studentProbability(t: number, freedom: number): number {
  const tail = regularizedBeta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2;
  return t < 0 ? tail : 1 - tail;
}

/**
 * The t with P(T <= t) = p.
 * @param p in (0, 1)
 * @param freedom degrees of freedom, at least 1
 */
export function studentQuantile(p: number, freedom: number): number {
  if (p === 0.5) return 0;
  if (p < 0.5) return -studentQuantile(1 - p, freedom);
  const x = betaQuantile(2 * (1 - p), freedom / 2, 0.5);
  return Math.sqrt((freedom * (1 - x)) / x);
}
