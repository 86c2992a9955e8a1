/** Changing the loaded module's state: each control is a file that takes one value. */
import { writeFileSync } from "node:fs";
import { SpillwayError } from "@spillway/core";
import type { Host } from "./host.ts";
import { isLoaded, notLoaded, readState, SYSFS } from "./sysfs.ts";

/** Why a value was refused, by the kernel's error number. */
function refusal(host: Host, file: string, value: string, errno: string): SpillwayError {
  const facts = { file: `${SYSFS}/${file}`, value, errno };
  if (errno === "EACCES" || errno === "EPERM") {
    return new SpillwayError("SPW_GUARD_PERMISSION", `only root may change ${file}`, {
      class: "environment",
      facts,
      hint: "run it with sudo",
    });
  }
  if (errno === "ENOENT") return notLoaded();
  if (errno === "EBUSY") {
    const { inUse } = readState(host);
    return new SpillwayError("SPW_GUARD_IN_USE", `${file} cannot become ${value}: ${inUse} stacks are in use`, {
      class: "environment",
      facts: { ...facts, inUse },
      hint: "nothing was changed; try again when fewer are in use, or ask for more",
    });
  }
  if (errno === "ENOMEM" || errno === "ENOSPC") {
    return new SpillwayError("SPW_GUARD_NO_MEMORY", `${file} cannot become ${value}: there is too little memory`, {
      class: "environment",
      facts,
      hint: "nothing was changed; ask for fewer",
    });
  }
  return new SpillwayError("SPW_GUARD_BAD_VALUE", `the module refuses ${value} as ${file}`, {
    class: "usage",
    facts,
    hint: `nothing was changed; ${rangeOf(host, file)}`,
  });
}

/** Most stacks that the module takes (SPW_MAX_STACKS) and what it leaves under a threshold, in bytes (a page). */
const MOST_STACKS = 1024;
const PAGE = 4096;

function rangeOf(host: Host, file: string): string {
  if (file === "total") return `there can be 1 to ${MOST_STACKS} stacks`;
  if (file === "threshold") return `a threshold is 0 to ${readState(host).stackBytes - PAGE} bytes`;
  return "see spillway guard set --help";
}

function write(host: Host, file: string, value: string): void {
  if (!isLoaded(host)) throw notLoaded();
  try {
    writeFileSync(host.path(`${SYSFS}/${file}`), value, { flag: "r+" });
  } catch (error) {
    throw refusal(host, file, value, (error as NodeJS.ErrnoException).code ?? "EINVAL");
  }
}

/**
 * Makes the pool hold this many stacks.
 * @throws SpillwayError SPW_GUARD_BAD_VALUE, SPW_GUARD_IN_USE, SPW_GUARD_NO_MEMORY, SPW_GUARD_PERMISSION, SPW_GUARD_NOT_LOADED
 */
export function setTotal(host: Host, stacks: number): void {
  write(host, "total", String(stacks));
}

/** Sets the bytes of a stack above which critical points switch. Throws as `setTotal`. */
export function setThreshold(host: Host, bytes: number): void {
  write(host, "threshold", String(bytes));
}

/** With draining on, nobody switches any more: tasks go on on the stack they are on. Throws as `setTotal`. */
export function setDrain(host: Host, on: boolean): void {
  write(host, "drain", on ? "1" : "0");
}

/** Lets the high water mark start anew, from what is in use now. Throws as `setTotal`. */
export function resetHighWater(host: Host): void {
  write(host, "high_water", "0");
}
