import { SpillwayError } from "../../errors.ts";
import { betaQuantile } from "../statistics/incomplete-beta.ts";
import { CONFIDENCE } from "../statistics/interval.ts";
import type { GuardCounts } from "./guard-export.ts";
import { meanHold } from "./laws.ts";
import { badValue, type PoolModel, type RunOptions } from "./model.ts";
import type { Refusal } from "./result.ts";
import { simulatePool } from "./simulate-pool.ts";

/** What a loaded module counted, beside what the model says of the same load. `spillway simulate guard --json` prints it. */
export interface GuardComparison {
  readonly schema: "spillway/guard-comparison@1";
  readonly stacks: number;
  readonly counted: {
    readonly switches: number;
    readonly refusals: number;
    readonly refused: number;
    /** Where the long-run probability lies if calls cluster as the model's do. */
    readonly ci99: readonly [low: number, high: number];
    /** Stacks in use that calls met, on average. */
    readonly met: number;
    readonly highWater: number;
    readonly meanHold: number;
  };
  /** Calls a second, and where that is known from: the time that was counted for, or what the calls met. */
  readonly rate: { readonly perSecond: number; readonly from: "time" | "occupancy" };
  readonly offeredErlang: number;
  /** Poisson arrivals at that rate, and the hold times that were counted. */
  readonly model: {
    readonly refusal: Refusal;
    readonly met: number;
    readonly highWater: number;
  };
  /** Share of switches that made it 1, 2, … stacks in use. */
  readonly occupancy: readonly { readonly stacks: number; readonly counted: number; readonly model: number }[];
  /**
   * Whether the counted refusals can be those of Poisson arrivals: `more` says that calls come in bursts, `fewer` that they keep out of
   * each other's way or are few tasks.
   */
  readonly verdict: "fits" | "more" | "fewer";
}

/**
 * Puts a module's counters beside the model of its pool: Poisson arrivals at the rate that was counted, and its own histogram of hold times.
 * @param seconds how long it counted; null: the rate follows from how many stacks calls met in use, which for Poisson arrivals is how many
 *   are in use on average (PASTA), and from the mean hold time (Little's law)
 * @throws SpillwayError SPW_SIMULATE_BAD_FILE where it counted nothing, SPW_SIMULATE_BAD_VALUE
 */
export function compareWithGuard(counts: GuardCounts, seconds: number | null, options: RunOptions): GuardComparison {
  const { stacks, switches, refusals, hold, occupancy } = counts;
  if (switches === 0 || hold.length === 0) {
    throw new SpillwayError("SPW_SIMULATE_BAD_FILE", "the module has counted no switches yet", {
      hint: "Let the machine do its work first; or simulate with --arrivals and --hold.",
    });
  }
  if (seconds !== null && !(seconds > 0))
    throw badValue(`the time that was counted for is more than 0, not ${seconds}`);
  const calls = switches + refusals;
  const mean = meanHold({ kind: "empirical", bins: hold })!;
  const counted = occupancy.reduce((sum, count) => sum + count, 0);
  const before = occupancy.reduce((sum, count, inUse) => sum + count * Math.max(0, inUse - 1), 0);
  const met = counted === 0 ? 0 : ((before / counted) * switches + stacks * refusals) / calls;
  const perSecond = seconds === null ? (met / mean) * (calls / switches) : calls / seconds;
  if (!(perSecond > 0))
    throw badValue("no two calls ever met, so that their rate does not follow from the counters", "Say --over TIME.");

  const model: PoolModel = {
    stacks,
    policy: "eio",
    arrivals: { kind: "poisson", rate: perSecond },
    hold: { kind: "empirical", bins: hold },
    tasks: null,
    deep: 1,
    nest: 0,
    sleep: null,
    cpus: 1,
  };
  const result = simulatePool(model, options);
  const interval = countedInterval(refusals, calls, result.refusal.effectiveAttempts / result.run.attempts);
  const [low, high] = result.refusal.ci99;
  const accepted = result.occupancy.timeShare.slice(0, stacks);
  const acceptedShare = accepted.reduce((sum, share) => sum + share, 0);
  return {
    schema: "spillway/guard-comparison@1",
    stacks,
    counted: {
      switches,
      refusals,
      refused: refusals / calls,
      ci99: interval,
      met,
      highWater: counts.highWater,
      meanHold: mean,
    },
    rate: { perSecond, from: seconds === null ? "occupancy" : "time" },
    offeredErlang: perSecond * mean,
    model: {
      refusal: result.refusal,
      met: result.occupancy.seenByArrivals,
      highWater: result.occupancy.highWater,
    },
    occupancy: Array.from({ length: stacks }, (_, index) => ({
      stacks: index + 1,
      counted: counted === 0 ? 0 : (occupancy[index + 1] ?? 0) / counted,
      model: (accepted[index] ?? 0) / acceptedShare,
    })),
    verdict: interval[0] > high ? "more" : interval[1] < low ? "fewer" : "fits",
  };
}

/** Clopper and Pearson's interval, for so many calls as the dependent ones are worth. */
function countedInterval(hits: number, calls: number, worth: number): [number, number] {
  const tail = (1 - CONFIDENCE) / 2;
  const n = Math.max(1, calls * Math.min(1, worth));
  const x = (hits / calls) * n;
  return [hits === 0 ? 0 : betaQuantile(tail, x, n - x + 1), hits === calls ? 1 : betaQuantile(1 - tail, x + 1, n - x)];
}
