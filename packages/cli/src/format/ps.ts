import type { Kernel, Task } from "@spillway/core";
import { hex16 } from "../text/hex.ts";
import { printable } from "../text/printable.ts";

/** How tasks are chosen: crash's -k, -u, -G and -A, and PIDs, task addresses or command names. */
export interface TaskFilter {
  readonly kernelOnly?: boolean;
  readonly userOnly?: boolean;
  readonly leadersOnly?: boolean;
  readonly activeOnly?: boolean;
  readonly names?: readonly string[];
}

function isNamed(task: Task, name: string): boolean {
  if (/^\d+$/.test(name) && Number(name) === task.pid) return true;
  if (/^(0x)?[0-9a-f]{16}$/i.test(name) && BigInt(name.startsWith("0x") ? name : `0x${name}`) === task.address) {
    return true;
  }
  return task.comm === name;
}

export function selectTasks(tasks: readonly Task[], filter: TaskFilter): Task[] {
  return tasks.filter(
    (task) =>
      (!filter.kernelOnly || task.kernelThread) &&
      (!filter.userOnly || !task.kernelThread) &&
      (!filter.leadersOnly || task.pid === task.tgid) &&
      (!filter.activeOnly || task.running) &&
      (!filter.names || filter.names.length === 0 || filter.names.some((name) => isNamed(task, name))),
  );
}

/** Kernel threads' names in brackets, as crash and ps show them. */
function commandOf(task: Task): string {
  return printable(task.kernelThread || task.pid === 0 ? `[${task.comm}]` : task.comm);
}

export const PS_HEADER = "      PID    PPID  CPU       TASK        ST  COMM\n";

/**
 * A line of `ps`: crash's columns but %MEM, VSZ and RSS, which say nothing about stacks; `>` marks a task on a CPU.
 */
export function formatPsLine(task: Task, parentPid: number | null): string {
  const mark = task.running ? ">" : " ";
  const parent = parentPid === null ? "?" : parentPid.toString();
  const cpu = task.cpu === null ? "?" : task.cpu.toString();
  const columns = `${task.pid.toString().padStart(8)} ${parent.padStart(7)} ${cpu.padStart(3)}`;
  return `${mark}${columns}  ${hex16(task.address)}  ${task.state.padEnd(2)}  ${commandOf(task)}\n`;
}

/** PID of each task's parent, from the tasks themselves. */
export function parentPids(kernel: Kernel, tasks: readonly Task[]): Map<bigint, number | null> {
  const pids = new Map(kernel.tasks().map((task) => [task.address, task.pid]));
  return new Map(
    tasks.map((task) => {
      const parent = task.parent;
      return [task.address, parent === null ? null : (pids.get(parent) ?? kernel.task(parent)?.pid ?? null)];
    }),
  );
}

/** crash's `ps -S`: how many tasks are in each state. */
export function formatStates(tasks: readonly Task[]): string {
  const counts = new Map<string, number>();
  for (const task of tasks) counts.set(task.state, (counts.get(task.state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `  ${state}: ${count}\n`).join("");
}
