/** Letting the pool run empty, and taking the module out. */
import { setTimeout as sleep } from "node:timers/promises";
import { SpillwayError } from "@spillway/core";
import { setDrain } from "./controls.ts";
import { errnoIn } from "./errno.ts";
import { requireGuardProgram } from "./find-program.ts";
import type { Host } from "./host.ts";
import { runProgram } from "./run-program.ts";
import { namesOfUsers, stackUsers } from "./stack-users.ts";
import { isLoaded, notLoaded, readState } from "./sysfs.ts";

/** How often the number in use is looked at, in milliseconds. */
const INTERVAL = 100;
/** The module keeps its reference until the pool was found idle: twice its period (SPW_IDLE), in milliseconds. */
const LET_GO = 1000;

/** Told the stacks in use each time that they were looked at. */
export type DrainProgress = (inUse: number) => void;

/** The error for stacks that are still in use. */
function stillInUse(host: Host, message: string, hint: string): SpillwayError {
  const { inUse } = readState(host);
  const users = stackUsers(host);
  const names = users.length === 0 ? "" : `on them: ${namesOfUsers(users)}; `;
  return new SpillwayError("SPW_GUARD_IN_USE", message.replace("%d", String(inUse)), {
    class: "environment",
    facts: { inUse, tasks: users.map(({ name, pid }) => `${name}[${pid}]`) },
    hint: `${names}${hint}`,
  });
}

/**
 * Switches draining on and waits until no stack is in use.
 * @param waitMs how long at most; 0 to look once
 * @returns the stacks that are still in use
 * @throws SpillwayError SPW_GUARD_NOT_LOADED, SPW_GUARD_PERMISSION; SPW_GUARD_IN_USE where the wait was for nothing
 */
export async function drain(host: Host, waitMs: number, progress: DrainProgress = () => {}): Promise<number> {
  setDrain(host, true);
  const end = performance.now() + waitMs;
  for (;;) {
    const { inUse } = readState(host);
    progress(inUse);
    if (inUse === 0 || waitMs === 0) return inUse;
    if (performance.now() >= end) {
      const seconds = waitMs / 1000;
      throw stillInUse(
        host,
        `%d extra stacks are still in use after ${seconds} s`,
        "draining stays on; spillway guard set drain off ends it",
      );
    }
    await sleep(INTERVAL);
  }
}

/**
 * Takes the module out; where the pool is idle, waits a moment for its reference to go.
 * @throws SpillwayError SPW_GUARD_NOT_LOADED, SPW_GUARD_PERMISSION, SPW_GUARD_IN_USE, SPW_GUARD_UNLOAD_FAILED
 */
export async function unloadModule(host: Host): Promise<void> {
  if (!isLoaded(host)) throw notLoaded();
  const rmmod = requireGuardProgram("rmmod");
  const end = performance.now() + LET_GO;
  for (;;) {
    const { status, stdout, stderr } = await runProgram(rmmod, ["spillway"]);
    if (status === 0) return;
    const output = `${stdout}${stderr}`.trim();
    const errno = errnoIn(output);
    if (errno === "EPERM" || errno === "EACCES") {
      throw new SpillwayError("SPW_GUARD_PERMISSION", "only root may unload modules", {
        class: "environment",
        facts: { output },
        hint: "run it with sudo",
      });
    }
    if (!isLoaded(host)) throw notLoaded();
    if (errno !== "EBUSY") {
      throw new SpillwayError("SPW_GUARD_UNLOAD_FAILED", `the module could not be unloaded: ${output}`, {
        class: "environment",
        facts: { output },
        hint: "see dmesg for more",
      });
    }
    if (readState(host).inUse > 0 || performance.now() >= end) {
      throw stillInUse(
        host,
        "the module cannot be unloaded: %d extra stacks are in use, or were just now",
        "spillway guard unload --drain lets nobody switch any more, waits, and unloads",
      );
    }
    await sleep(INTERVAL);
  }
}
