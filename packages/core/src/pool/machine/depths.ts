/** How deep operations go, whatever the stacks: what a stack of a size would have had to hold. */
import type { Workload } from "./workload.ts";

/** Bytes of a step of the curves. */
export const DEPTH_STEP = 64;

/** Operations by the deepest that they went: in steps, and the deepest of all in bytes. */
export class DepthCurve {
  readonly #counts = new Map<number, number>();
  #operations = 0;
  deepest = 0;

  add(bytes: number): void {
    const step = Math.ceil(bytes / DEPTH_STEP);
    this.#counts.set(step, (this.#counts.get(step) ?? 0) + 1);
    this.#operations++;
    this.deepest = Math.max(this.deepest, bytes);
  }

  /** The share of operations that went deeper than so many bytes, at each depth where it changes; from 0 bytes on. */
  tail(): { bytes: number; share: number }[] {
    let deeper = this.#operations;
    const steps = [...new Set([0, ...this.#counts.keys()])].sort((one, other) => one - other);
    return steps.map((step) => {
      deeper -= this.#counts.get(step) ?? 0;
      return { bytes: step * DEPTH_STEP, share: this.#operations === 0 ? 0 : deeper / this.#operations };
    });
  }
}

/** How deep the operations of workloads go. */
export class DepthCounts {
  operations = 0;
  /** By the task's own frames, and with the entries of interrupts: what the task stack holds if interrupts have their own. */
  readonly own = new DepthCurve();
  /** With interrupts on the same stack. */
  readonly all = new DepthCurve();

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
      this.own.add(own);
      this.all.add(all);
    }
  }
}

/** What a tail says of a depth: it stays as it is up to the next depth that is listed. */
export function shareBeyond(
  tail: readonly { readonly bytes: number; readonly share: number }[],
  bytes: number,
): number {
  return tail.findLast((point) => point.bytes <= bytes)?.share ?? 0;
}
