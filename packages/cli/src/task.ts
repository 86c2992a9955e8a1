import { type Kernel, SpillwayError, type Task } from "@spillway/core";
import { parseAddress } from "./location.ts";

/** The error for a task that the dump does not have. */
export function noTask(what: string): SpillwayError {
  return new SpillwayError("SPW_TASK_UNKNOWN", what, {
    class: "missing",
    hint: "spillway ps FILE lists the tasks; bt -a shows the active task of every CPU",
  });
}

/**
 * Finds a task as crash does: a number that is a PID is one, anything else is a task's address.
 * @throws SpillwayError `SPW_TASK_UNKNOWN`
 */
export function findTask(kernel: Kernel, word: string): Task {
  const byPid = /^\d+$/.test(word) ? kernel.tasks().find((task) => task.pid === Number(word)) : undefined;
  if (byPid) return byPid;
  const address = parseAddress(word);
  const task = address === null ? null : kernel.task(address);
  if (task === null) throw noTask(`"${word}" is neither a PID nor the address of a task in this dump`);
  return task;
}
