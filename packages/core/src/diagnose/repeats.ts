/** Runs that repeat in a list of functions, whatever stands for a function: an address in a dump, a name in a log. */

/** Longest cycle looked for, in frames. Real ones (stacked devices, nested mounts) take up to some dozens. */
export const MAX_PERIOD = 64;
/** Fewer turns than this is nesting, not recursion (a loop device on a loop device is two). */
export const MIN_TURNS = 3;
/** Share of the frames in a stretch of recursion without a fixed order that belong to functions which come back. */
const MOSTLY = 0.75;

export interface Run {
  /** Index of its first element. */
  readonly first: number;
  readonly length: number;
}

/** The longest run in which each element is the same as the one `period` before it; null (unknown) is the same as nothing. */
export function longestRun(keys: readonly (bigint | string | null)[], period: number): Run | null {
  let best: Run | null = null;
  let start = 0;
  for (let index = period; index <= keys.length; index++) {
    if (index < keys.length && keys[index] !== null && keys[index] === keys[index - period]) continue;
    const length = index - start;
    if (length > period && (best === null || length > best.length)) best = { first: start, length };
    start = index - period + 1;
  }
  return best;
}

export interface Stretch extends Run {
  /** Indexes of the first appearance of each function that comes back. */
  readonly distinct: readonly number[];
  /** How often the most frequent one stands there. */
  readonly turns: number;
}

/**
 * Recursion without a fixed order: functions that call each other as the data have it. From the first to the last place of
 * any that comes back, if those that do make up most of it.
 */
export function irregularStretch(keys: readonly (bigint | string | null)[]): Stretch | null {
  const counts = new Map<bigint | string, number>();
  for (const key of keys) if (key !== null) counts.set(key, (counts.get(key) ?? 0) + 1);
  const recurring = new Set([...counts].filter(([, count]) => count >= MIN_TURNS).map(([key]) => key));
  const often = [...counts].sort((a, b) => b[1] - a[1])[0];
  if (often === undefined || !recurring.has(often[0])) return null;
  const returns = (key: bigint | string | null): boolean => key !== null && recurring.has(key);
  const first = keys.findIndex(returns);
  const last = keys.findLastIndex(returns);
  const seen = new Set<bigint | string>();
  const distinct: number[] = [];
  let back = 0;
  for (let index = first; index <= last; index++) {
    const key = keys[index]!;
    if (!returns(key)) continue;
    back++;
    if (!seen.has(key)) distinct.push(index);
    seen.add(key);
  }
  const length = last + 1 - first;
  return back < length * MOSTLY ? null : { first, length, distinct, turns: often[1] };
}
