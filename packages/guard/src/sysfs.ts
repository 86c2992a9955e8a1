/** The module's state as it shows it under /sys/kernel/spillway. */
import { existsSync, readdirSync } from "node:fs";
import { SpillwayError } from "@spillway/core";
import type { GuardState, PointState } from "./guard-state.ts";
import type { Host } from "./host.ts";

/** Where the module's files are. */
export const SYSFS = "/sys/kernel/spillway";

/** Whether the module is loaded, and through with its self-test. */
export function isLoaded(host: Host): boolean {
  return existsSync(host.path(`${SYSFS}/total`));
}

/** A file of one number; null where there is no such file (another release of the module) or it holds none. */
function numberIn(host: Host, path: string): number | null {
  const word = host.word(path);
  return word !== null && /^\d{1,20}$/.test(word) ? Number(word) : null;
}

function required(host: Host, name: string): number {
  const value = numberIn(host, `${SYSFS}/${name}`);
  if (value !== null) return value;
  if (!isLoaded(host)) throw notLoaded();
  throw new SpillwayError("SPW_GUARD_STATE_UNREADABLE", `${SYSFS}/${name} cannot be read as a number`, {
    class: "environment",
    facts: { file: `${SYSFS}/${name}` },
    hint: "the loaded module is of another release than this program: build and load the one that comes with it",
  });
}

/** Lines of two numbers, as the histograms have them; lines of another form are left out. */
export function parsePairs(text: string): [number, number][] {
  return text.split("\n").flatMap((line) => {
    const match = /^(\d+) (\d+)$/.exec(line.trim());
    return match === null ? [] : [[Number(match[1]), Number(match[2])] as [number, number]];
  });
}

function readPoint(host: Host, name: string): PointState | null {
  const folder = `${SYSFS}/points/${name}`;
  const values = ["calls", "switches", "refusals", "deepest"].map((file) => numberIn(host, `${folder}/${file}`));
  const [calls, switches, refusals, deepestBytes] = values;
  // Gone since the folder was listed: the module is being unloaded.
  if (calls == null || switches == null || refusals == null || deepestBytes == null) return null;
  return { name, calls, switches, refusals, deepestBytes, mode: host.word(`${folder}/mode`) };
}

function pointNames(host: Host): string[] {
  try {
    return readdirSync(host.path(`${SYSFS}/points`)).sort();
  } catch {
    return [];
  }
}

/** What whoever asks a guard that is not there is told. */
export function notLoaded(): SpillwayError {
  return new SpillwayError("SPW_GUARD_NOT_LOADED", "spillway.ko is not loaded", {
    class: "missing",
    facts: { file: SYSFS },
    hint: "spillway guard check says whether it can be; spillway guard load loads it",
  });
}

/**
 * Reads the state of the loaded module. The counters are read one after the other, so they need not add up to the last call.
 * @throws SpillwayError SPW_GUARD_NOT_LOADED, SPW_GUARD_STATE_UNREADABLE
 */
export function readState(host: Host): GuardState {
  if (!isLoaded(host)) throw notLoaded();
  const pairs = (name: string) => parsePairs(host.text(`${SYSFS}/${name}`) ?? "");
  return {
    total: required(host, "total"),
    free: required(host, "free"),
    inUse: required(host, "in_use"),
    highWater: required(host, "high_water"),
    thresholdBytes: required(host, "threshold"),
    switches: required(host, "switches"),
    refusals: required(host, "refusals"),
    points: pointNames(host).flatMap((name) => readPoint(host, name) ?? []),
    stackBytes: required(host, "thread_size"),
    draining: host.word(`${SYSFS}/drain`) === "1",
    migrated: numberIn(host, `${SYSFS}/migrated`),
    reaped: numberIn(host, `${SYSFS}/reaped`),
    deepestBytes: numberIn(host, `${SYSFS}/deepest`),
    occupancy: pairs("occupancy").map(([stacks, count]) => ({ stacks, count })),
    hold: pairs("hold_ns").map(([atLeastNs, count]) => ({ atLeastNs, count })),
    moduleVersion: host.word("/sys/module/spillway/version"),
    kernel: host.release,
  };
}
