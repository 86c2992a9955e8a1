/** How one operation of a workload fares on the stacks of a design. */
import { type Design, type PoolSettings, thresholdOf } from "./design.ts";
import type { Workload } from "./workload.ts";

export const OUTCOME = { done: 0, overflow: 1, refused: 2 } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

export interface StackLimits {
  readonly design: Design;
  readonly pool: PoolSettings;
  /** At the end of each task's stack, and of each extra one: no room for frames. */
  readonly reservedBytes: number;
  /** What an interrupt leaves on the stack that it hits. */
  readonly entryBytes: number;
}

/** Takes operations down their levels. After `descend`: `taken` extra stacks are held, `deepest` bytes were in use at most. */
export class Descent {
  /** Extra stacks that the operation took. */
  taken = 0;
  /** Stacks for interrupts that were overflown, rather than a task's. */
  irqStackOverflows = 0;
  readonly #workload: Workload;
  readonly #limits: StackLimits;
  readonly #usable: number;
  readonly #threshold: number;

  constructor(workload: Workload, limits: StackLimits) {
    this.#workload = workload;
    this.#limits = limits;
    this.#usable = limits.design.stackBytes - limits.reservedBytes;
    this.#threshold = limits.design.extra ? thresholdOf(limits.design, limits.pool) : Number.POSITIVE_INFINITY;
  }

  /** @param free extra stacks that are free when it begins */
  descend(operation: number, free: number): Outcome {
    const { firstLevel, levelBytes, levelPoint, firstInterrupt } = this.#workload;
    const end = firstLevel[operation + 1] as number;
    let used = 0;
    this.taken = 0;
    for (let level = firstLevel[operation] as number; level < end; level++) {
      if (used >= this.#threshold && levelPoint[level] === 1) {
        if (this.taken === free) return OUTCOME.refused;
        this.taken++;
        used = 0;
      }
      used += levelBytes[level] as number;
      if (used > this.#usable) return OUTCOME.overflow;
      const last = firstInterrupt[level + 1] as number;
      for (let hit = firstInterrupt[level] as number; hit < last; hit++) {
        if (this.#overflowsAt(hit, used)) return OUTCOME.overflow;
      }
    }
    return OUTCOME.done;
  }

  #overflowsAt(hit: number, used: number): boolean {
    const { hardBytes, hardCount, softBytes, nestedBytes, nestedCount } = this.#workload.interrupts;
    const { entryBytes, design } = this.#limits;
    const hard = hardBytes[hit] as number;
    const hards = hardCount[hit] as number;
    const soft = softBytes[hit] as number;
    const nested = nestedBytes[hit] as number;
    const nesteds = nestedCount[hit] as number;
    if (!design.irqStacks) {
      const first = hard + hards * entryBytes;
      const second = soft === 0 ? 0 : entryBytes + soft + nested + nesteds * entryBytes;
      return used + Math.max(first, second) > this.#usable;
    }
    if (used + entryBytes > this.#usable) return true;
    const onHard = Math.max(hard + (hards - 1) * entryBytes, nesteds === 0 ? 0 : nested + (nesteds - 1) * entryBytes);
    const onSoft = soft + (nesteds > 0 ? entryBytes : 0);
    if (Math.max(onHard, onSoft) <= this.#usable) return false;
    this.irqStackOverflows++;
    return true;
  }
}
