import type { HoldLaw } from "./laws.ts";
import type { PoolModel } from "./model.ts";

/** Poisson arrivals, exponential hold times of a second, EIO; and whatever a test wants different. */
export function pool(stacks: number, rate: number, other: Partial<PoolModel> = {}): PoolModel {
  return {
    stacks,
    policy: "eio",
    arrivals: { kind: "poisson", rate },
    hold: { kind: "exponential", mean: 1 },
    tasks: null,
    deep: 1,
    nest: 0,
    sleep: null,
    cpus: 1,
    ...other,
  };
}

/** Laws of hold times with a mean of one second. */
export const HOLD_LAWS: readonly (readonly [string, HoldLaw])[] = [
  ["exponential", { kind: "exponential", mean: 1 }],
  ["deterministic", { kind: "deterministic", mean: 1 }],
  ["lognormal", { kind: "lognormal", mean: 1, cv: 1 }],
  ["hyperexponential", { kind: "hyperexponential", mean: 1, cv: 2 }],
];
