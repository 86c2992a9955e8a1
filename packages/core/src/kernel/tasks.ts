import { isKernelAddress, type KernelContext, kernelSymbol } from "./context.ts";
import type { KernelCpu } from "./cpus.ts";
import type { Task } from "./kernel.ts";
import type { PerCpu } from "./percpu.ts";
import { type TaskLayout, taskLayout } from "./task-layout.ts";
import { stateLetters } from "./task-state.ts";

/** PID_MAX_LIMIT on 64 bits, include/linux/threads.h: no kernel has more tasks. */
const MAX_TASKS = 1 << 22;
const PF_KTHREAD = 0x00200000;

/** Reads tasks and walks the lists that hold them. */
export class TaskReader {
  readonly #context: KernelContext;
  readonly #perCpu: PerCpu;
  readonly #cpus: () => readonly KernelCpu[];
  #layout: TaskLayout | null | undefined;
  #running: ReadonlyMap<bigint, number> | null = null;
  readonly #cache = new Map<bigint, Task | null>();
  #all: readonly Task[] | null = null;

  constructor(context: KernelContext, perCpu: PerCpu, cpus: () => readonly KernelCpu[]) {
    this.#context = context;
    this.#perCpu = perCpu;
    this.#cpus = cpus;
  }

  get layout(): TaskLayout | null {
    if (this.#layout === undefined) {
      this.#layout = taskLayout(this.#context);
      if (this.#layout === null) this.#context.problem("the layout of task_struct is not known: no tasks can be shown");
    }
    return this.#layout;
  }

  /** One task; null where this cannot be a `task_struct`. */
  task(address: bigint): Task | null {
    let task = this.#cache.get(address);
    if (task === undefined) {
      task = this.#read(address);
      this.#cache.set(address, task);
    }
    return task;
  }

  pid(address: bigint): number | null {
    const layout = this.layout;
    return layout === null ? null : this.#context.memory.i32(address + BigInt(layout.pid));
  }

  #read(address: bigint): Task | null {
    const layout = this.layout;
    if (layout === null || !isKernelAddress(address) || (address & 7n) !== 0n) return null;
    const { memory } = this.#context;
    const u64 = (offset: number | null): bigint | null =>
      offset === null ? null : memory.u64(address + BigInt(offset));
    const i32 = (offset: number | null): number | null =>
      offset === null ? null : memory.i32(address + BigInt(offset));
    const pid = i32(layout.pid);
    const tgid = i32(layout.tgid);
    const comm = memory.cstring(address + BigInt(layout.comm), 16);
    const stack = u64(layout.stack);
    if (pid === null || tgid === null || comm === null || stack === null) return null;
    if (pid < 0 || pid > MAX_TASKS || tgid < 0 || tgid > MAX_TASKS) return null;
    // A zombie's stack is given back before its task: NULL then.
    if (stack !== 0n && (!isKernelAddress(stack) || (stack & 0xfffn) !== 0n)) return null;
    const state = layout.stateSize === 4 ? i32(layout.state) : Number((u64(layout.state) ?? 0n) & 0xffffffffn);
    const flags = i32(layout.flags);
    const mm = u64(layout.mm);
    const onCpu = this.#onCpu(address);
    return {
      address,
      pid,
      tgid,
      comm,
      state: state === null ? "??" : stateLetters(state, i32(layout.exitState) ?? 0),
      cpu: onCpu ?? i32(layout.cpu),
      parent: u64(layout.parent),
      mm: mm === 0n ? null : mm,
      kernelThread: flags === null ? mm === 0n : (flags & PF_KTHREAD) !== 0,
      stack: stack === 0n ? null : stack,
      savedSp: u64(layout.threadSp),
      canary: u64(layout.canary),
      running: onCpu !== null,
    };
  }

  #onCpu(address: bigint): number | null {
    if (this.#running === null) {
      const running = new Map<bigint, number>();
      for (const cpu of this.#cpus()) if (cpu.currentTask !== null) running.set(cpu.currentTask, cpu.number);
      this.#running = running;
    }
    return this.#running.get(address) ?? null;
  }

  /** Idle tasks by CPU, then every process in the list's order with its threads behind it. */
  all(): readonly Task[] {
    if (this.#all !== null) return this.#all;
    const seen = new Set<bigint>();
    const tasks: Task[] = [];
    const add = (address: bigint): boolean => {
      if (seen.has(address) || seen.size >= MAX_TASKS) return false;
      seen.add(address);
      const task = this.task(address);
      if (task !== null) tasks.push(task);
      return task !== null;
    };
    for (const address of this.#idleTasks()) add(address);
    // What a CPU runs is a task even where a damaged list does not lead to it.
    const current = this.#cpus().flatMap((cpu) => (cpu.currentTask === null ? [] : [cpu.currentTask]));
    const layout = this.layout;
    const initTask = kernelSymbol(this.#context, "init_task");
    if (layout?.tasks != null && initTask !== null) {
      this.#walk(initTask + BigInt(layout.tasks), BigInt(layout.tasks), "the list of processes", (leader) => {
        add(leader);
        for (const thread of this.#threads(layout, leader)) add(thread);
      });
    } else if (layout !== null) {
      this.#context.problem("the list of processes could not be found; only tasks on CPUs are known");
    }
    for (const address of current) {
      if (add(address)) this.#context.problem("a task that runs on a CPU is not in the list of processes");
    }
    this.#all = tasks;
    return tasks;
  }

  /** init_task and each CPU's idle thread (`idle_threads`, kernel/smpboot.c since 3.5). */
  *#idleTasks(): Generator<bigint> {
    const initTask = kernelSymbol(this.#context, "init_task");
    if (initTask !== null) yield initTask;
    for (const cpu of this.#cpus()) {
      const idle = this.#perCpu.u64("idle_threads", cpu.number);
      if (idle !== null && isKernelAddress(idle)) yield idle;
    }
  }

  /** Threads hang on `signal->thread_head` by `thread_node` since 3.14 (0c740d0afc3b). */
  #threads(layout: TaskLayout, leader: bigint): bigint[] {
    const threads: bigint[] = [];
    if (layout.signal === null || layout.threadNode === null || layout.threadHead === null) return threads;
    const signal = this.#context.memory.u64(leader + BigInt(layout.signal));
    if (signal === null || !isKernelAddress(signal)) return threads;
    this.#walk(signal + BigInt(layout.threadHead), BigInt(layout.threadNode), "a list of threads", (thread) => {
      if (thread !== leader) threads.push(thread);
    });
    return threads;
  }

  /**
   * Calls `visit` for each element of a circular list. Where the way forward is lost (a page that is not in the dump, a
   * damaged link) the list is walked backwards from its head too, so that one hole hides no more than its own element.
   */
  #walk(head: bigint, linkOffset: bigint, what: string, visit: (element: bigint) => void): void {
    const { memory } = this.#context;
    const seen = new Set<bigint>([head]);
    const run = (next: (link: bigint) => bigint | null): string | null => {
      for (let link = next(head); link !== head; link = next(link)) {
        if (link === null) return "leads into memory that is not in the dump";
        if (!isKernelAddress(link) || seen.size > MAX_TASKS) return "is damaged";
        // Walking backwards this is where the other walk had come to; forwards it is a circle that misses the head.
        if (seen.has(link)) return "does not lead back to where it starts";
        seen.add(link);
        visit(link - linkOffset);
      }
      return null;
    };
    const broken = run((link) => memory.u64(link));
    if (broken === null) return;
    this.#context.problem(`${what} ${broken}`);
    run((link) => memory.u64(link + 8n));
  }
}
