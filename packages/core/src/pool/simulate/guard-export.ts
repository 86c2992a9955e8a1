import { SpillwayError } from "../../errors.ts";
import type { LawBin } from "./laws.ts";

/** What a loaded module counted, as far as a simulation can use it: `guard status --json`, or its files under /sys. */
export interface GuardCounts {
  readonly stacks: number;
  readonly switches: number;
  readonly refusals: number;
  readonly highWater: number;
  /** Hold times, in seconds. */
  readonly hold: readonly LawBin[];
  /** Of switches: how many made it so many stacks in use. Index 0 is never counted. */
  readonly occupancy: readonly number[];
}

/** The table of the module has no more. */
const MOST_STACKS = 65_536;
const NANO = 1e-9;

function invalid(path: string, what: string, hint: string): SpillwayError {
  return new SpillwayError("SPW_SIMULATE_BAD_FILE", `${path}: ${what}`, { facts: { path }, hint });
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** Bins that double: from a time in nanoseconds up to twice that. */
function bins(pairs: readonly (readonly [unknown, unknown])[]): LawBin[] {
  return pairs.flatMap(([from, count]) =>
    isCount(from) && isCount(count) && count > 0
      ? [{ low: from * NANO, high: 2 * Math.max(from, 1) * NANO, count }]
      : [],
  );
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function rows(value: unknown, one: string, other: string): [unknown, unknown][] {
  if (!Array.isArray(value)) return [];
  return value.map((row) => [(row as Record<string, unknown>)?.[one], (row as Record<string, unknown>)?.[other]]);
}

/**
 * Hold times out of a file: what `spillway guard status --json` prints, or lines `NANOSECONDS COUNT` as /sys/kernel/spillway/hold_ns has
 * them (a bin goes up to twice its beginning).
 * @param path for messages
 * @throws SpillwayError SPW_SIMULATE_BAD_FILE
 */
export function readHoldBins(text: string, path: string): LawBin[] {
  const document = parsed(text);
  const lines = text.split("\n").flatMap((line) => {
    const match = /^\s*(\d{1,19})\s+(\d{1,19})\s*$/.exec(line);
    return match === null ? [] : [[Number(match[1]), Number(match[2])] as const];
  });
  const found = document === null ? bins(lines) : bins(rows(document.hold, "atLeastNs", "count"));
  if (found.length > 0) return found;
  throw invalid(
    path,
    "no hold times are in it",
    "Give what `spillway guard status --json` prints after stacks were used, or the lines of /sys/kernel/spillway/hold_ns.",
  );
}

/** @throws SpillwayError SPW_SIMULATE_BAD_FILE where it is not what `spillway guard status --json` prints */
export function readGuardCounts(text: string, path: string): GuardCounts {
  const document = parsed(text);
  const { total, switches, refusals, highWater } = document ?? {};
  if (!isCount(total) || !isCount(switches) || !isCount(refusals) || !isCount(highWater)) {
    throw invalid(
      path,
      "it is not what `spillway guard status --json` prints",
      "spillway guard status --json > status.json",
    );
  }
  const occupancy: number[] = [];
  for (const [stacks, count] of rows(document?.occupancy, "stacks", "count")) {
    if (isCount(stacks) && stacks <= MOST_STACKS && isCount(count)) occupancy[Math.floor(stacks)] = count;
  }
  return {
    stacks: total,
    switches,
    refusals,
    highWater,
    hold: bins(rows(document?.hold, "atLeastNs", "count")),
    occupancy: Array.from(occupancy, (count) => count ?? 0),
  };
}
