import type { StackRange } from "../kernel/kernel.ts";
import { running } from "./keep-answers.ts";
import type { Keeper } from "./keeper.ts";

/** KASAN's largest; whatever is longer is no stack. */
const LONGEST_STACK = 1 << 18;

/** Tasks whose stack is kept in full, those on a CPU first. Of more, what is in use: a machine may have tens of thousands. */
const WHOLE_STACKS = 512;

/**
 * Keeps the stacks of all CPUs (hardirq, exception, entry) and tasks, and the tasks themselves.
 * @returns the stack ranges kept
 */
export function keepStacks(keeper: Keeper): readonly StackRange[] {
  const { kernel } = keeper;
  const kept: StackRange[] = [];
  for (const stack of kernel.stacks()) {
    if (stack.task !== null || stack.high - stack.low > BigInt(LONGEST_STACK)) continue;
    keeper.between(stack.low, stack.high);
    kept.push(stack);
  }
  const tasks = running(kernel.tasks());
  tasks.forEach((task, i) => {
    keeper.struct(task.address, "task_struct", 16384);
    if (task.stack === null) return;
    const high = task.stack + BigInt(kernel.threadSize);
    const stack = kernel.stackAt(task.stack)?.stack;
    if (stack === undefined || stack.task !== task.address) return;
    // What lies below the saved stack pointer is left from earlier calls.
    const inUse = task.savedSp !== null && task.savedSp > task.stack && task.savedSp < high ? task.savedSp : task.stack;
    keeper.between(i < WHOLE_STACKS ? task.stack : inUse, high);
    if (i < WHOLE_STACKS) kept.push(stack);
  });
  return kept;
}
