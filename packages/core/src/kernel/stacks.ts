import type { KernelContext } from "./context.ts";
import { cpuStacks, stackRange } from "./cpu-stacks.ts";
import type { KernelCpu } from "./cpus.ts";
import { type ExtraStackPool, readExtraStacks } from "./extra-stacks.ts";
import type { StackRange } from "./kernel.ts";
import type { PerCpu } from "./percpu.ts";
import type { TaskReader } from "./tasks.ts";

const GUARD = 0x1000n;
/** Lowest kernel address. */
const KERNEL_HALF = 0xff00000000000000n;
/** Where the kernel's image begins, which no task's stack but init_task's lies in. */
const KERNEL_IMAGE = 0xffffffff80000000n;
const USER_END = 1n << 56n;
/** __USER_CS and __USER32_CS, __USER_DS (arch/x86/include/asm/segment.h). */
const USER_CS: readonly bigint[] = [0x33n, 0x23n];
const USER_DS = 0x2bn;
/** Places remembered that were looked at for stacks nobody owns. */
const MOST_BLOCKS = 65536;

/** All kernel stacks and the question which of them an address lies on. */
export class Stacks {
  readonly #context: KernelContext;
  readonly #perCpu: PerCpu;
  readonly #cpus: () => readonly KernelCpu[];
  readonly #tasks: TaskReader;
  readonly threadSize: number;
  #perCpuStacks: readonly StackRange[] | null = null;
  #pool: ExtraStackPool | null | undefined;
  #sorted: readonly StackRange[] | null = null;
  readonly #mapped = new Map<bigint, StackRange | null>();
  readonly #blocks = new Map<bigint, StackRange | null>();

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

  /** The pool of spillway.ko; null where there is none. */
  get pool(): ExtraStackPool | null {
    if (this.#pool === undefined) this.#pool = readExtraStacks(this.#context, this.threadSize, this.#cpus());
    return this.#pool;
  }

  get #extra(): readonly StackRange[] {
    return this.pool?.stacks.map((stack) => stack.range) ?? [];
  }

  /** All stacks in ascending order of address. */
  all(): readonly StackRange[] {
    if (this.#sorted === null) {
      const stacks = [...this.ofCpus(), ...this.#extra];
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
    for (const stack of this.#extra) if (holds(stack, address)) return { stack, guard: false };
    for (const stack of [...this.ofCpus(), ...current, ...this.#extra])
      if (holdsGuard(stack, address)) return { stack, guard: true };

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
    return this.#mappedAround(address) ?? this.#blockAround(address);
  }

  /**
   * A stack without a guard page whose task is not known (its task_struct is destroyed, maybe by that very stack): an aligned
   * block of memory at whose top lies what the CPU saved on its way from user mode.
   */
  #blockAround(address: bigint): { readonly stack: StackRange; readonly guard: boolean } | null {
    const size = BigInt(this.threadSize);
    const low = address & ~(size - 1n);
    if (low < KERNEL_HALF || low >= KERNEL_IMAGE) return null;
    const known = this.#blocks.get(low);
    if (known !== undefined) return known === null ? null : { stack: known, guard: false };
    const holdsUser = this.#endsInUserMode(low + size);
    const stack = holdsUser ? stackRange(this.#context, { kind: "task", task: null, low, high: low + size }) : null;
    if (this.#blocks.size < MOST_BLOCKS) this.#blocks.set(low, stack);
    return stack === null ? null : { stack, guard: false };
  }

  /** Do RIP, CS, RFLAGS, RSP and SS of user mode lie right below `top`? */
  #endsInUserMode(top: bigint): boolean {
    const bytes = this.#context.memory.read(top - 40n, 40);
    if (bytes === null) return false;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [rip, cs, flags, rsp, ss] = [0, 8, 16, 24, 32].map((at) => view.getBigUint64(at, true));
    const segments = USER_CS.includes(cs!) && ss === USER_DS;
    return segments && (flags! & 2n) !== 0n && flags! < 1n << 22n && rip! < USER_END && rsp! < USER_END;
  }

  /**
   * A stack whose task is not known (its task_struct is not in the dump): vmapped stacks (CONFIG_VMAP_STACK) are THREAD_SIZE
   * aligned runs of just THREAD_SIZE mapped bytes in the vmalloc area, with nothing mapped below or above.
   */
  #mappedAround(address: bigint): { readonly stack: StackRange; readonly guard: boolean } | null {
    const size = BigInt(this.threadSize);
    for (const guard of [false, true]) {
      const inside = guard ? address + GUARD : address;
      const low = inside & ~(size - 1n);
      if (guard && (address >= low || address < low - GUARD)) continue;
      const stack = this.#mapped.get(low) ?? this.#mappedStack(low, size);
      this.#mapped.set(low, stack);
      if (stack !== null) return { stack, guard };
    }
    return null;
  }

  #mappedStack(low: bigint, size: bigint): StackRange | null {
    // The direct map and kernel text are mapped by large pages all around; only single pages end like this.
    const mapped = (address: bigint) => this.#context.memory.translate(address) !== null;
    if (low < KERNEL_HALF || mapped(low - GUARD) || mapped(low + size)) return null;
    for (let page = low; page < low + size; page += GUARD) if (!mapped(page)) return null;
    return { kind: "task", name: "", cpu: null, task: null, low, high: low + size, guardBelow: true };
  }
}

function holds(stack: StackRange, address: bigint): boolean {
  return address >= stack.low && address < stack.high;
}

/** A page that is mapped below a stack is somebody's memory, not a guard. */
function holdsGuard(stack: StackRange, address: bigint): boolean {
  return address >= stack.low - GUARD && address < stack.low && stack.guardBelow !== false;
}
