/** Finds a run of frames that repeats: direct recursion, or a cycle of several functions. */
import type { Frame } from "../unwind/backtrace.ts";
import { irregularStretch, longestRun, MAX_PERIOD, MIN_TURNS } from "./repeats.ts";

export interface Cycle {
  /** Functions of one turn, innermost first. */
  readonly functions: readonly string[];
  /** Frames of one turn; the first of the run. */
  readonly frames: readonly Frame[];
  /** Index of the run's first frame in the list that was searched. */
  readonly first: number;
  /** Frames in the run. */
  readonly length: number;
  /** Whole turns. */
  readonly turns: number;
  /** Stack bytes of one turn: what most turns take (the innermost may not be complete). */
  readonly bytesPerTurn: number;
  /** Stack bytes of the whole run. */
  readonly bytes: number;
}

/**
 * The cycle that covers most bytes of the stack, or null. Frames count as equal when they stand in the same function: a
 * recursive function may call itself from several places.
 */
export function findCycle(frames: readonly Frame[]): Cycle | null {
  let best: Cycle | null = null;
  const keys = frames.map((frame) => frame.start);
  const longest = Math.min(MAX_PERIOD, Math.floor(frames.length / MIN_TURNS));
  for (let period = 1; period <= longest; period++) {
    const run = longestRun(keys, period);
    if (run === null) continue;
    const turns = Math.floor(run.length / period);
    if (turns < MIN_TURNS) continue;
    const bytes = Number(frames[run.first + run.length - 1]!.sp - frames[run.first]!.sp);
    const perTurn = bytesPerTurn(frames, run, period);
    // A multiple of a shorter period covers no more than that one; demand a real gain before taking the longer.
    if (best !== null && bytes <= best.bytes * 1.05) continue;
    const turn = frames.slice(run.first, run.first + period);
    best = {
      functions: turn.map((frame) => frame.function ?? "?"),
      frames: turn,
      first: run.first,
      length: run.length,
      turns,
      bytesPerTurn: perTurn,
      bytes,
    };
  }
  return best;
}

/**
 * Recursion without a fixed order: functions that call each other as the data have it. The stretch from the first to the
 * last frame of the function that stands on the stack most often, if all functions that come back make up most of it.
 */
export function findIrregularRecursion(frames: readonly Frame[]): Cycle | null {
  const stretch = irregularStretch(frames.map((frame) => frame.start));
  if (stretch === null) return null;
  const { first, length, turns } = stretch;
  const distinct = stretch.distinct.map((index) => frames[index]!);
  const bytes = Number(frames[first + length - 1]!.sp - frames[first]!.sp);
  return {
    functions: distinct.map((frame) => frame.function ?? "?"),
    frames: distinct,
    first,
    length,
    turns,
    bytesPerTurn: Math.round(bytes / turns),
    bytes,
  };
}

function bytesPerTurn(frames: readonly Frame[], run: { first: number; length: number }, period: number): number {
  const counts = new Map<number, number>();
  for (let index = run.first; index + period < run.first + run.length; index++) {
    const bytes = Number(frames[index + period]!.sp - frames[index]!.sp);
    counts.set(bytes, (counts.get(bytes) ?? 0) + 1);
  }
  const mostOften = [...counts].sort((a, b) => b[1] - a[1])[0];
  return mostOften?.[0] ?? 0;
}
