import { DEFAULT_STACK_BYTES, poolMemory } from "./memory.ts";
import { badValue, type PoolModel, type RunOptions } from "./model.ts";
import type { SimulationDocument } from "./result.ts";
import { simulatePool } from "./simulate-pool.ts";

export interface SweepPoint {
  readonly stacks: number;
  /** Of being refused; with the policy `sleep`, of having to wait. Null where there is no steady state. */
  readonly probability: number | null;
  readonly ci99: readonly [low: number, high: number];
  /** Mean wait in seconds, with the policy `sleep`. */
  readonly meanWait: number | null;
  /** The same probability by the formula that applies; null where none does. */
  readonly formula: number | null;
  readonly meanInUse: number;
  readonly highWater: number;
  readonly deadlocks: number | null;
  readonly memoryBytes: number;
}

/** What `spillway simulate sweep --json` prints. */
export interface SweepDocument {
  readonly schema: "spillway/pool-sweep@1";
  readonly policy: PoolModel["policy"];
  readonly offeredErlang: number | null;
  readonly seed: number;
  readonly events: number;
  /** The formula of the points; null where none applies. */
  readonly formula: string | null;
  readonly points: readonly SweepPoint[];
}

/** More points than this are no curve that anybody looks at. */
const MOST_POINTS = 1000;

/**
 * One pool after the other, of `from` to `to` stacks, each with the same arrivals and hold times.
 * @throws SpillwayError SPW_SIMULATE_BAD_VALUE
 */
export function sweepPool(
  model: Omit<PoolModel, "stacks">,
  range: { readonly from: number; readonly to: number; readonly step: number },
  options: RunOptions & { readonly stackBytes?: number; readonly simulating?: (stacks: number) => void },
): SweepDocument {
  const { from, to, step } = range;
  const whole = [from, to, step].every(Number.isInteger);
  if (!whole || from < 0 || to < from || step < 1 || (to - from) / step >= MOST_POINTS) {
    throw badValue(
      `a sweep goes up, in at most ${MOST_POINTS} steps of whole stacks, not from ${from} to ${to} by ${step}`,
      "For example --stacks 1..20, or 10..200:10.",
    );
  }
  let formula: string | null = null;
  let last: SimulationDocument | null = null;
  const points: SweepPoint[] = [];
  for (let stacks = from; stacks <= to; stacks += step) {
    options.simulating?.(stacks);
    last = simulatePool({ ...model, stacks }, options);
    formula = last.formula?.name ?? formula;
    points.push(pointOf(last, options.stackBytes ?? DEFAULT_STACK_BYTES));
  }
  return {
    schema: "spillway/pool-sweep@1",
    policy: model.policy,
    offeredErlang: last?.offeredErlang ?? null,
    seed: options.seed,
    events: options.events,
    formula,
    points,
  };
}

function pointOf(result: SimulationDocument, stackBytes: number): SweepPoint {
  const { stacks, policy, refusal, wait, steady, occupancy, deadlocks, formula } = result;
  const waits = policy === "sleep";
  return {
    stacks,
    probability: waits ? (wait?.probability ?? null) : refusal.probability,
    ci99: waits ? (wait?.probabilityCi99 ?? [0, 1]) : refusal.ci99,
    meanWait: waits && steady ? (wait?.mean ?? null) : null,
    formula: formula?.refusal ?? formula?.wait ?? null,
    meanInUse: occupancy.mean,
    highWater: occupancy.highWater,
    deadlocks: deadlocks?.count ?? null,
    memoryBytes: poolMemory(stacks, stackBytes).bytes,
  };
}
