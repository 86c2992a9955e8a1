/** A workload on one design: the events in their order, with stacks from memory under pressure and a pool of extra ones. */
import { Descent, OUTCOME, type StackLimits } from "./descend.ts";
import { stackOrder } from "./design.ts";
import { EVENT, type Workload } from "./workload.ts";
import type { ZoneMemory } from "./zone-memory.ts";

export interface ReplaySettings extends StackLimits {
  /** Pages that a task needs besides its stack, one by one: page tables, task_struct, slab. */
  readonly taskPages: number;
  /** Pages a second that are allocated for other purposes than tasks. */
  readonly churnPages: number;
}

export interface ReplayCounts {
  /** Operations that were begun: those of tasks that could be forked. */
  operations: number;
  /** Operations that overflowed a stack: a crash each, after which the machine goes on as if nothing had been. */
  crashes: number;
  /** Of the crashes, those on a CPU's stack for interrupts. */
  irqStackCrashes: number;
  /** Operations that failed with EIO, since no extra stack was free. */
  refusals: number;
  forks: number;
  failedForks: number;
  /** Of those, forks for which there were enough free pages above the min watermark, only not together. */
  fragmentedForks: number;
  /** Rounds of direct reclaim that forks went through. */
  reclaimRounds: number;
  /** Most extra stacks that were in use at a time. */
  extraHighWater: number;
  /** Most tasks that were there at a time. */
  mostTasks: number;
}

/** Other allocations happen at this interval, seconds. */
const TICK = 0.01;

interface Task {
  readonly stack: readonly number[];
  readonly pages: readonly number[];
}

/** @param memory is used up */
export function replay(workload: Workload, memory: ZoneMemory, settings: ReplaySettings): ReplayCounts {
  const { design, pool } = settings;
  const descent = new Descent(workload, settings);
  const tasks: (Task | null)[] = new Array(workload.tasks).fill(null);
  /** Extra stacks that a slot's operation holds. */
  const held = new Int32Array(workload.tasks);
  const counts: ReplayCounts = {
    operations: 0,
    crashes: 0,
    irqStackCrashes: 0,
    refusals: 0,
    forks: 0,
    failedForks: 0,
    fragmentedForks: 0,
    reclaimRounds: 0,
    extraHighWater: 0,
    mostTasks: 0,
  };
  const stackPieces = design.vmap ? 2 ** stackOrder(design) : 1;
  const pieceOrder = design.vmap ? 0 : stackOrder(design);
  let free = design.extra ? pool.stacks : 0;
  let present = 0;
  let ticks = 0;
  let owed = 0;

  const exit = (slot: number): void => {
    const task = tasks[slot];
    if (!task) return;
    for (const page of task.stack) memory.free(page, pieceOrder);
    for (const page of task.pages) memory.free(page, 0);
    tasks[slot] = null;
    present--;
  };
  const fork = (slot: number): void => {
    counts.forks++;
    const roundsBefore = memory.rounds;
    const stack = take(memory, pieceOrder, stackPieces);
    // Enough pages, one by one, would have been there: it is that they are not together.
    const fragmented =
      stack === null && pieceOrder > 0 && memory.buddy.freePages - (1 << pieceOrder) > memory.marks.min;
    const pages = stack === null ? null : take(memory, 0, settings.taskPages);
    counts.reclaimRounds += memory.rounds - roundsBefore;
    if (stack !== null && pages !== null) {
      tasks[slot] = { stack, pages };
      counts.mostTasks = Math.max(counts.mostTasks, ++present);
      return;
    }
    counts.failedForks++;
    if (fragmented) counts.fragmentedForks++;
    for (const page of stack ?? []) memory.free(page, pieceOrder);
  };

  for (const at of workload.order) {
    const now = workload.time[at] as number;
    for (; ticks * TICK < now; ticks++) {
      memory.runKswapd();
      for (owed += settings.churnPages * TICK; owed > 0; ) owed -= memory.churn();
    }
    const slot = workload.slot[at] as number;
    switch (workload.kind[at]) {
      case EVENT.renew:
        exit(slot);
        fork(slot);
        break;
      case EVENT.begin: {
        if (tasks[slot] === null) break;
        counts.operations++;
        const outcome = descent.descend(workload.operation[at] as number, free);
        counts.extraHighWater = Math.max(
          counts.extraHighWater,
          (design.extra ? pool.stacks : 0) - free + descent.taken,
        );
        if (outcome === OUTCOME.done) {
          free -= descent.taken;
          held[slot] = descent.taken;
        } else if (outcome === OUTCOME.overflow) counts.crashes++;
        else counts.refusals++;
        break;
      }
      default:
        free += held[slot] as number;
        held[slot] = 0;
    }
  }
  counts.irqStackCrashes = descent.irqStackOverflows;
  return counts;
}

/** So many blocks, or none at all. */
function take(memory: ZoneMemory, order: number, blocks: number): readonly number[] | null {
  const taken: number[] = [];
  while (taken.length < blocks) {
    const page = memory.allocate(order);
    if (page < 0) {
      for (const one of taken) memory.free(one, order);
      return null;
    }
    taken.push(page);
  }
  return taken;
}
