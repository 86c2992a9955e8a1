import { diagnose } from "../diagnose/diagnose.ts";
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import type { Task } from "../kernel/kernel.ts";
import { moduleTypes } from "../kernel/module-types.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { backtrace, staleReturnsOf } from "../unwind/unwind.ts";
import type { Keeper } from "./keeper.ts";

/** Tasks whose stack is walked. */
const WALKED_TASKS = 4096;
/** Walks that lose their way: finding it again may mean a search through the kernel's text, so only so many are tried. */
const MOST_LOST = 64;

export interface Answers {
  /** The whole dump's diagnosis; its `input.path` is empty. */
  readonly diagnosis: Diagnosis;
  /** Frames of the task that panicked. */
  readonly crashed: readonly Frame[];
  /** Frames of all tasks, the crashed one's included. */
  readonly all: readonly Frame[];
}

/**
 * Asks what people ask of a dump, so that the record holds what the answers rest on: the diagnosis, `sys`, `log`, `ps`, `mod`,
 * every symbol, and `bt` of every task and CPU.
 */
export function keepAnswers(keeper: Keeper, step: (done: number, total: number) => void): Answers {
  const { kernel } = keeper;
  const diagnosis = diagnose(kernel, { path: "" });
  keepSystem(keeper);
  keepSymbols(keeper);
  const frames: Frame[] = [];
  let crashed: readonly Frame[] = [];
  const tasks = kernel.tasks();
  const order = running(tasks);
  const walked = order.slice(0, WALKED_TASKS);
  let lost = 0;
  walked.forEach((task, i) => {
    if (lost >= MOST_LOST) return;
    step(i, walked.length);
    const trace = backtrace(kernel, { task: task.address });
    if (trace.broken !== null) lost++;
    staleReturnsOf(kernel, trace);
    frames.push(...trace.frames);
    if (task.address === kernel.panic.task) crashed = trace.frames;
  });
  for (const cpu of kernel.cpus) frames.push(...backtrace(kernel, { cpu: cpu.number }).frames);
  return { diagnosis, crashed, all: frames };
}

/** Tasks on a CPU first: theirs are the stacks that matter. */
export function running(tasks: readonly Task[]): readonly Task[] {
  return [...tasks.filter((task) => task.running), ...tasks.filter((task) => !task.running)];
}

function keepSystem({ kernel }: Keeper): void {
  // Each is read when it is asked for.
  void [kernel.banner, kernel.release, kernel.nodename, kernel.threadSize, kernel.uptimeSeconds, kernel.crashTime];
  void [kernel.loadAverage, kernel.memoryBytes, kernel.log(), kernel.panic, kernel.orc?.layout];
  for (const stack of kernel.stacks()) void stack.guardBelow;
  for (const cpu of kernel.cpus) kernel.referenceCanary(cpu.number);
}

function keepSymbols({ kernel }: Keeper): void {
  kernel.symbols.byName("swapper_pg_dir", null);
  // Asking for a name that nothing has reads the symbols of every module.
  kernel.symbols.allByName("");
  for (const module of kernel.symbols.modules) moduleTypes(kernel, module);
}
