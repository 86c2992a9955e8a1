/** Finds a run of frames that repeats: direct recursion, or a cycle of several functions. */
import type { Frame } from "../unwind/backtrace.ts";

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

/** Longest cycle looked for, in frames. Real ones (stacked devices, nested mounts) take up to some dozens. */
const MAX_PERIOD = 64;
/** Fewer turns than this is nesting, not recursion (a loop device on a loop device is two). */
const MIN_TURNS = 3;

/**
 * The cycle that covers most bytes of the stack, or null. Frames count as equal when they stand in the same function: a
 * recursive function may call itself from several places.
 */
export function findCycle(frames: readonly Frame[]): Cycle | null {
  let best: Cycle | null = null;
  const longest = Math.min(MAX_PERIOD, Math.floor(frames.length / MIN_TURNS));
  for (let period = 1; period <= longest; period++) {
    const run = longestRun(frames, period);
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
  const counts = new Map<bigint, number>();
  for (const { start } of frames) if (start !== null) counts.set(start, (counts.get(start) ?? 0) + 1);
  const recurring = new Set([...counts].filter(([, count]) => count >= MIN_TURNS).map(([start]) => start));
  const often = [...counts].sort((a, b) => b[1] - a[1])[0];
  if (often === undefined || !recurring.has(often[0])) return null;
  const returns = (frame: Frame) => frame.start !== null && recurring.has(frame.start);
  const first = frames.findIndex(returns);
  const last = frames.findLastIndex(returns);
  const run = frames.slice(first, last + 1);
  if (run.filter(returns).length < run.length * MOSTLY) return null;
  const distinct = run.filter(
    (frame, index) => returns(frame) && run.findIndex((one) => one.start === frame.start) === index,
  );
  const bytes = Number(run.at(-1)!.sp - run[0]!.sp);
  return {
    functions: distinct.map((frame) => frame.function ?? "?"),
    frames: distinct,
    first,
    length: run.length,
    turns: often[1],
    bytesPerTurn: Math.round(bytes / often[1]),
    bytes,
  };
}

/** Share of the frames in a stretch of recursion that belong to functions which come back. */
const MOSTLY = 0.75;

function bytesPerTurn(frames: readonly Frame[], run: { first: number; length: number }, period: number): number {
  const counts = new Map<number, number>();
  for (let index = run.first; index + period < run.first + run.length; index++) {
    const bytes = Number(frames[index + period]!.sp - frames[index]!.sp);
    counts.set(bytes, (counts.get(bytes) ?? 0) + 1);
  }
  const mostOften = [...counts].sort((a, b) => b[1] - a[1])[0];
  return mostOften?.[0] ?? 0;
}

function longestRun(frames: readonly Frame[], period: number): { first: number; length: number } | null {
  let best: { first: number; length: number } | null = null;
  let start = 0;
  for (let index = period; index <= frames.length; index++) {
    const same =
      index < frames.length && frames[index]!.start !== null && frames[index]!.start === frames[index - period]!.start;
    if (same) continue;
    const length = index - start;
    if (length > period && (best === null || length > best.length)) best = { first: start, length };
    start = index - period + 1;
  }
  return best;
}
