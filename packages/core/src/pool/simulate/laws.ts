/**
 * What a simulation is given: how tasks arrive at a deep critical point, and how long they hold the stack that they get there.
 * Times are in seconds, rates per second.
 */

/** Part of an empirical law: `count` values from `low` up to `high`. */
export interface LawBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** How long one stack is held. `cv` is the coefficient of variation: standard deviation by mean. */
export type HoldLaw =
  | { readonly kind: "exponential" | "deterministic"; readonly mean: number }
  /** The logarithm is normal. */
  | { readonly kind: "lognormal"; readonly mean: number; readonly cv: number }
  /** One of two exponential laws with balanced means (each has half of the total time); cv at least 1. */
  | { readonly kind: "hyperexponential"; readonly mean: number; readonly cv: number }
  /** Out of a histogram; within a bin the logarithm is uniform, or the value itself where the bin begins at 0. */
  | { readonly kind: "empirical"; readonly bins: readonly LawBin[] }
  /** Each arrival of a trace has its own. */
  | { readonly kind: "trace" };

/** A state of a Markov-modulated Poisson process: arrivals at this rate for an exponential time of this mean. */
export interface Phase {
  readonly rate: number;
  readonly meanDuration: number;
}

export type ArrivalLaw =
  | { readonly kind: "poisson" | "periodic"; readonly rate: number }
  /** Phases follow each other in turn. */
  | { readonly kind: "mmpp"; readonly phases: readonly Phase[] }
  /** Recorded arrivals, in order, in seconds from the beginning; and how long each held its stack, where that is known. */
  | { readonly kind: "trace"; readonly times: Float64Array; readonly holds: Float64Array | null };

/** Mean of a law; null for a trace's own times, which are not known here. */
export function meanHold(law: HoldLaw): number | null {
  if (law.kind === "trace") return null;
  if (law.kind !== "empirical") return law.mean;
  let count = 0;
  let sum = 0;
  for (const bin of law.bins) {
    count += bin.count;
    sum += bin.count * binMean(bin);
  }
  return sum / count;
}

function binMean({ low, high }: LawBin): number {
  return low > 0 && high > low ? (high - low) / Math.log(high / low) : (low + high) / 2;
}

/** Arrivals a second in the long run. */
export function meanRate(law: ArrivalLaw): number {
  switch (law.kind) {
    case "poisson":
    case "periodic":
      return law.rate;
    case "mmpp": {
      const cycle = law.phases.reduce((sum, phase) => sum + phase.meanDuration, 0);
      return law.phases.reduce((sum, phase) => sum + phase.rate * phase.meanDuration, 0) / cycle;
    }
    case "trace": {
      const { times } = law;
      const length = times.length < 2 ? 0 : times[times.length - 1]! - times[0]!;
      return length > 0 ? (times.length - 1) / length : 0;
    }
  }
}

/**
 * Arrivals in bursts, as an on-off process: at `peak` times the mean rate for a time of mean `burst`, then none for so long that the mean
 * holds.
 */
export function burstyArrivals(rate: number, peak: number, burst: number): ArrivalLaw {
  return {
    kind: "mmpp",
    phases: [
      { rate: rate * peak, meanDuration: burst },
      { rate: 0, meanDuration: burst * (peak - 1) },
    ],
  };
}
