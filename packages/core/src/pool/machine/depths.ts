/** How deep operations go, whatever the stacks: what a stack of a size would have had to hold. */
import type { Workload } from "./workload.ts";

/** Bytes of a step of the curves. */
export const DEPTH_STEP = 64;

/** Counts operations by the deepest that they went, in steps. */
export class DepthCounts {
  operations = 0;
  /** By the task's own frames, and with the entries of interrupts: what the task stack holds if interrupts have their own. */
  readonly own: number[] = [];
  /** With interrupts on the same stack. */
  readonly all: number[] = [];

  add(workload: Workload, entryBytes: number): void {
    const { firstLevel, levelBytes, firstInterrupt, interrupts } = workload;
    for (let operation = 0; operation < workload.operations; operation++) {
      let used = 0;
      let own = 0;
      let all = 0;
      for (let level = firstLevel[operation]!; level < firstLevel[operation + 1]!; level++) {
        used += levelBytes[level]!;
        own = Math.max(own, used);
        all = Math.max(all, used);
        for (let hit = firstInterrupt[level]!; hit < firstInterrupt[level + 1]!; hit++) {
          const soft = interrupts.softBytes[hit]!;
          const first = interrupts.hardBytes[hit]! + interrupts.hardCount[hit]! * entryBytes;
          const second =
            soft === 0
              ? 0
              : entryBytes + soft + interrupts.nestedBytes[hit]! + interrupts.nestedCount[hit]! * entryBytes;
          own = Math.max(own, used + entryBytes);
          all = Math.max(all, used + Math.max(first, second));
        }
      }
      this.operations++;
      count(this.own, own);
      count(this.all, all);
    }
  }
}

function count(counts: number[], bytes: number): void {
  const step = Math.ceil(bytes / DEPTH_STEP);
  while (counts.length <= step) counts.push(0);
  counts[step] = counts[step]! + 1;
}

/** Of each depth the share of operations that went deeper; ends where none did. */
export function depthTail(counts: readonly number[], operations: number): { bytes: number; share: number }[] {
  let deeper = operations;
  return counts.map((here, step) => {
    deeper -= here;
    return { bytes: step * DEPTH_STEP, share: deeper / operations };
  });
}
