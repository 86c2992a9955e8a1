import type { Kernel, Task } from "@spillway/core";
import { hex } from "../text/hex.ts";
import { printable } from "../text/printable.ts";

/** What crash's `set` prints of the task that commands are about. */
export function formatFocus(kernel: Kernel, task: Task, panicked: boolean): string {
  const cpu = kernel.cpus.find((one) => one.currentTask === task.address)?.number ?? task.cpu;
  const rows = [
    ["PID", String(task.pid)],
    ["COMMAND", `"${printable(task.comm)}"`],
    ["TASK", hex(task.address)],
    ["CPU", cpu === null ? "?" : String(cpu)],
    ["STATE", panicked ? `${task.state} (panicked)` : task.state],
  ];
  return rows.map(([name, value]) => `${name!.padStart(8)}: ${value}\n`).join("");
}
