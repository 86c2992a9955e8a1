/** What a diagnosis says of the extra stacks of spillway.ko, where that module is loaded. */
import type { CrashFacts } from "./facts.ts";

const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`;

/** Adds the pool's state, and which of the stacks the crashed task was on, to the evidence. */
export function sayPoolState(facts: CrashFacts): void {
  const { kernel, evidence, task } = facts;
  const pool = kernel.extraStacks();
  if (pool === null) return;
  const taken = pool.stacks.filter((stack) => stack.owner !== null);
  const owners = new Set(taken.map((stack) => stack.owner));
  const { use } = pool;
  const inUse = taken.length === 0 ? "none in use" : `${taken.length} in use by ${counted(owners.size, "task")}`;
  const past =
    use === null
      ? "its counters are not in the dump"
      : `at most ${use.highWater} at a time; ${use.switches} switches, ` +
        `${counted(Number(use.refusals), "call")} refused for want of a stack`;
  evidence.add(
    "extra-stacks",
    pool.address,
    `spillway.ko has ${counted(pool.stacks.length, "extra stack")}, ${inUse}; ${past}.`,
  );
  if (pool.unreadable > 0) {
    evidence.miss(`The description of ${counted(pool.unreadable, "extra stack")} of spillway.ko is not in the dump.`);
  }
  if (task === null) return;
  const own = taken.filter((stack) => stack.owner === task.address).sort((a, b) => a.level - b.level);
  const innermost = own.at(-1);
  if (innermost === undefined) return;
  evidence.add(
    "on-extra-stack",
    innermost.range.low,
    own.length === 1
      ? `The crashed task (${task.comm}, PID ${task.pid}) had gone from its own stack to an extra one.`
      : `The crashed task (${task.comm}, PID ${task.pid}) was on ${own.length} extra stacks, one after the other.`,
  );
}
