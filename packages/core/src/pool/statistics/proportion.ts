import { type Batches, ratioInterval } from "./batches.ts";
import { betaQuantile } from "./incomplete-beta.ts";
import { CONFIDENCE } from "./interval.ts";
import { studentQuantile } from "./student.ts";

/** A probability with its 99 % confidence interval. */
export interface ProportionEstimate {
  readonly probability: number;
  readonly ci99: readonly [low: number, high: number];
  /** How many independent trials would tell as much as these dependent ones did. */
  readonly effectiveTrials: number;
  /** The run is too short for its interval to be trusted: even its longest batches depend on each other. */
  readonly correlated: boolean;
}

/** With fewer hits, their own clustering cannot be seen, and how the process as a whole is correlated stands in for it. */
export const FEW_HITS = 100;
/** The 99.5 % point of the normal distribution. */
const NORMAL_995 = 2.5758293035489;

/**
 * The probability of a hit where trials depend on each other, after Korn and Graubard, "Confidence intervals for proportions with
 * small expected number of positive counts", 1998: the exact interval of Clopper and Pearson, for so many trials as the
 * dependent ones are worth. What they are worth follows from the variance between batches, beside that of independent trials, and from
 * Student's distribution for the number of batches. It is honest for rare hits too, and for none at all.
 *
 * @param hits by batches: hits as sums, trials as weights
 * @param companion a mean over the same trials whose correlation in time is at least that of hits, for when hits are too few to
 *   tell: how many stacks were in use, with its variance over trials; or trials that nearly were hits
 */
export function proportionInterval(
  hits: Batches,
  companion: { readonly batches: Batches; readonly variance: number } | null = null,
): ProportionEstimate {
  let trials = 0;
  let count = 0;
  for (let batch = 0; batch < hits.sums.length; batch++) {
    trials += hits.weights[batch]!;
    count += hits.sums[batch]!;
  }
  if (trials === 0) return { probability: Number.NaN, ci99: [0, 1], effectiveTrials: 0, correlated: false };
  const probability = count / trials;
  const own = ratioInterval(hits);
  let effect = 1;
  let { batches, correlated } = own;
  const variance = probability * (1 - probability);
  if (variance > 0) effect = Math.max(effect, (own.standardError ** 2 * trials) / variance);
  if (companion !== null && companion.variance > 0 && Math.min(count, trials - count) < FEW_HITS) {
    const other = ratioInterval(companion.batches);
    effect = Math.max(effect, (other.standardError ** 2 * trials) / companion.variance);
    batches = Math.min(batches, other.batches);
    correlated = correlated || other.correlated;
  }
  const tail = (1 - CONFIDENCE) / 2;
  const spread = NORMAL_995 / studentQuantile(1 - tail, batches - 1);
  const effectiveTrials = Math.max(1, (trials / effect) * spread * spread);
  const x = probability * effectiveTrials;
  const low = count === 0 ? 0 : betaQuantile(tail, x, effectiveTrials - x + 1);
  const high = count === trials ? 1 : betaQuantile(1 - tail, x + 1, effectiveTrials - x);
  return { probability, ci99: [low, high], effectiveTrials, correlated };
}
