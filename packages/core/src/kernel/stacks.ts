import type { KernelContext } from "./context.ts";
import { cpuStacks, stackRange } from "./cpu-stacks.ts";
import type { KernelCpu } from "./cpus.ts";
import type { StackRange } from "./kernel.ts";
import type { PerCpu } from "./percpu.ts";
import type { TaskReader } from "./tasks.ts";

const GUARD = 0x1000n;

/** All kernel stacks and the question which of them an address lies on. */
export class Stacks {
  readonly #context: KernelContext;
  readonly #perCpu: PerCpu;
  readonly #cpus: () => readonly KernelCpu[];
  readonly #tasks: TaskReader;
  readonly threadSize: number;
  #perCpuStacks: readonly StackRange[] | null = null;
  #sorted: readonly StackRange[] | null = null;

  constructor(
    context: KernelContext,
    perCpu: PerCpu,
    cpus: () => readonly KernelCpu[],
    tasks: TaskReader,
    threadSize: number,
  ) {
    this.#context = context;
    this.#perCpu = perCpu;
    this.#cpus = cpus;
    this.#tasks = tasks;
    this.threadSize = threadSize;
  }

  /** Hardirq, exception and entry stacks of every CPU. */
  ofCpus(): readonly StackRange[] {
    this.#perCpuStacks ??= this.#cpus().flatMap((cpu) =>
      cpuStacks(this.#context, this.#perCpu, cpu.number, this.threadSize),
    );
    return this.#perCpuStacks;
  }

  /** The stack of a task; null where it has none. */
  ofTask(task: bigint): StackRange | null {
    const low = this.#tasks.task(task)?.stack ?? null;
    if (low === null) return null;
    return stackRange(this.#context, { kind: "task", task, low, high: low + BigInt(this.threadSize) });
  }

  /** All stacks in ascending order of address. */
  all(): readonly StackRange[] {
    if (this.#sorted === null) {
      const stacks = [...this.ofCpus()];
      for (const task of this.#tasks.all()) {
        const stack = this.ofTask(task.address);
        if (stack !== null) stacks.push(stack);
      }
      stacks.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
      this.#sorted = stacks;
    }
    return this.#sorted;
  }

  /** The stack that holds the address, or whose guard page does. The stacks in use are tried before the list of all tasks. */
  at(address: bigint): { readonly stack: StackRange; readonly guard: boolean } | null {
    for (const stack of this.ofCpus()) if (holds(stack, address)) return { stack, guard: false };
    const current: StackRange[] = [];
    for (const cpu of this.#cpus()) {
      const stack = cpu.currentTask === null ? null : this.ofTask(cpu.currentTask);
      if (stack === null) continue;
      if (holds(stack, address)) return { stack, guard: false };
      current.push(stack);
    }
    for (const stack of [...this.ofCpus(), ...current]) if (holdsGuard(stack, address)) return { stack, guard: true };

    const stacks = this.all();
    // The last stack that starts at or below the address, and the next one up for its guard page.
    let low = 0;
    let high = stacks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (stacks[middle]!.low <= address) low = middle + 1;
      else high = middle;
    }
    const below = stacks[low - 1];
    if (below !== undefined && holds(below, address)) return { stack: below, guard: false };
    const above = stacks[low];
    if (above !== undefined && holdsGuard(above, address)) return { stack: above, guard: true };
    return null;
  }
}

function holds(stack: StackRange, address: bigint): boolean {
  return address >= stack.low && address < stack.high;
}

/** A page that is mapped below a stack is somebody's memory, not a guard. */
function holdsGuard(stack: StackRange, address: bigint): boolean {
  return address >= stack.low - GUARD && address < stack.low && stack.guardBelow !== false;
}
