/** How budgets and plans are put into words. */
import type { BudgetLevel, EntryKind } from "@spillway/core";
import { printable } from "../../text/printable.ts";

export const LEVEL_TITLES: Readonly<Record<BudgetLevel, string>> = {
  direct: "direct calls",
  "slot-matched": "slot-matched",
  "prototype-matched": "prototype-matched",
};

export const ENTRY_TITLES: Readonly<Record<EntryKind, string>> = {
  "system-call": "system call",
  interrupt: "interrupt",
  exception: "exception",
  softirq: "softirq",
  timer: "timer",
  work: "work item",
  kthread: "kernel thread",
  "rcu-callback": "RCU or task work",
  "file-operation": "file operation",
  "user-return": "return to user mode",
  "task-end": "end of a task",
  other: "asked for",
};

/** `ext4_file_write_iter [ext4]`. */
export function named(name: string, module: string | null): string {
  return printable(module === null ? name : `${name} [${module}]`);
}

/** A share in per cent: "61 %", "0.4 %". */
export function share(part: number, whole: number): string {
  if (whole === 0) return "0 %";
  const percent = (100 * part) / whole;
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** "1 cycle", "3 cycles". */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toString().replaceAll(/\B(?=(\d{3})+$)/g, ",")} ${number === 1 ? one : many}`;
}
