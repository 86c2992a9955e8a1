/** Which tasks are on extra stacks, from /proc/PID/stack: its backtraces cross the switches. */
import { readdirSync } from "node:fs";
import type { Host } from "./host.ts";

/** A task that is on an extra stack. */
export interface StackUser {
  readonly pid: number;
  readonly name: string;
  /** Extra stacks it is on, as far as its backtrace shows: the kernel prints the 64 innermost entries. */
  readonly levels: number;
  /** Innermost function of its backtrace that is not the scheduler's business: where it waits. */
  readonly waitsIn: string | null;
}

/** The module's function that stays on the old stack while its caller goes on on the new one. */
const SWITCH = /^\[<0>\] spw_switch\b/;
/** Functions that every sleeper shows. */
const SLEEPING = /^(__)?schedule|^wait_for_|^msleep|^io_schedule|^do_nanosleep|^preempt_schedule/;

/** What a task's /proc/PID/stack tells; null where it is on no extra stack. */
export function stackUse(stack: string): Pick<StackUser, "levels" | "waitsIn"> | null {
  const lines = stack.split("\n");
  const levels = lines.filter((line) => SWITCH.test(line)).length;
  if (levels === 0) return null;
  const functions = lines.flatMap((line) => /^\[<0>\] ([^+\s]+)/.exec(line)?.[1] ?? []);
  return { levels, waitsIn: functions.find((name) => !SLEEPING.test(name)) ?? null };
}

/**
 * Tasks that sleep on extra stacks; needs root. The backtrace of a task that runs is not told by the kernel.
 * @param most stop after that many tasks
 */
export function stackUsers(host: Host, most = 20): StackUser[] {
  const users: StackUser[] = [];
  let pids: string[] = [];
  try {
    pids = readdirSync(host.path("/proc")).filter((name) => /^\d+$/.test(name));
  } catch {}
  for (const pid of pids) {
    let threads: string[] = [];
    try {
      threads = readdirSync(host.path(`/proc/${pid}/task`));
    } catch {}
    for (const thread of threads) {
      if (users.length >= most) return users;
      const folder = `/proc/${pid}/task/${thread}`;
      const use = stackUse(host.text(`${folder}/stack`) ?? "");
      if (use !== null) users.push({ pid: Number(thread), name: host.text(`${folder}/comm`)?.trim() ?? "?", ...use });
    }
  }
  return users;
}

/** "flow[123] in cascade_write, cat[7]": who is on extra stacks, for an error's hint; empty where nobody is seen. */
export function namesOfUsers(users: readonly StackUser[]): string {
  return users.map(({ name, pid, waitsIn }) => `${name}[${pid}]${waitsIn === null ? "" : ` in ${waitsIn}`}`).join(", ");
}
