/**
 * Chooses as few critical points as keep all segments within their limits.
 *
 * To split as few vertices of a graph as bound the length of its paths is NP-hard (Paik, Reddy and Sahni, "Deleting vertices to
 * bound path length", IEEE Transactions on Computers 43, 1994), the more so where only some may be split. Every way to a solution
 * starts from the same fact: a segment that is too long must get a point between its start and its end. So the exact search
 * branches over the candidates on one such segment, the heuristic takes the one that leaves most behind it, and segments that
 * have no candidate in common each need a point of their own, which gives the lower bound.
 */
import { deepest, type Segment, type Segments } from "./segments.ts";

export interface Placement {
  readonly points: readonly number[];
  /** No placement has fewer points. */
  readonly lowerBound: number;
  /** True where the points are as few as can be. */
  readonly optimal: boolean;
}

/** Placements that are judged at most by the exact search, over a graph of so many sites and members in sum. */
const WORK = 2e8;

export function placePoints(segments: Segments): Placement {
  const found = swapped(segments, pruned(segments, greedy(segments)));
  const lowerBound = disjointSegments(segments);
  if (found.length <= lowerBound) return { points: found, lowerBound: found.length, optimal: true };
  return exact(segments, found, lowerBound);
}

/**
 * Takes the segment that is most too long, and on it the first candidate from which on it is short enough: what lies before it
 * is then as short as one point can make it. Where all that follows a candidate is too long, the last one.
 */
export function greedy(segments: Segments): number[] {
  const points = segments.mask([]);
  const chosen: number[] = [];
  for (;;) {
    const passes = segments.passes(points);
    const { depth } = deepest(passes);
    const worst = segments.worst(points, chosen, passes);
    if (worst === null) return chosen;
    const fixes = segments.fixes(worst, points);
    const fix = fixes.find((f) => (depth[f] as number) <= segments.pointLimit(f)) ?? fixes[fixes.length - 1];
    // Cannot be: with all candidates as points every segment is within its limit.
    if (fix === undefined) return chosen;
    points[fix] = 1;
    chosen.push(fix);
  }
}

/** Leaves out points without which the rest does. */
export function pruned(segments: Segments, chosen: readonly number[]): number[] {
  let points = [...chosen];
  for (const f of chosen) {
    const fewer = points.filter((one) => one !== f);
    if (segments.keeps(fewer)) points = fewer;
  }
  return points;
}

/** Pairs that are tried for a common replacement at most. */
const SWAPS = 60;

/** Looks for two points that one other candidate can stand for. */
function swapped(segments: Segments, chosen: readonly number[]): number[] {
  let points = [...chosen];
  let tries = 0;
  for (let a = 0; a < points.length; a++) {
    for (let b = a + 1; b < points.length && tries < SWAPS; b++) {
      tries++;
      const rest = points.filter((_, at) => at !== a && at !== b);
      const mask = segments.mask(rest);
      const worst = segments.worst(mask, rest);
      const fixes = worst === null ? [] : segments.fixes(worst, mask);
      const better = worst === null ? rest : fixes.map((f) => [...rest, f]).find((one) => segments.keeps(one));
      if (better === undefined) continue;
      points = [...better];
      a = -1;
      break;
    }
  }
  return points;
}

/**
 * Segments from entries that are too long and have no candidate in common: each needs a point that no other one shares. Every
 * candidate on one is made a point before the next is looked for, with nothing but its return address counted for it, so that
 * the next one is a part of a path that any placement has to cut at a candidate not yet seen.
 */
export function disjointSegments(segments: Segments): number {
  const points = segments.mask([]);
  for (let count = 0; ; count++) {
    const worst = segments.worst(points, [], segments.passes(points, 0));
    if (worst === null || needsFreeUpcall(segments, worst)) return count;
    const fixes = segments.fixes(worst, points);
    if (fixes.length === 0) return count;
    for (const f of fixes) points[f] = 1;
  }
}

/**
 * True where a segment ends by one upcall more than it may take, into what is only taken for a point. Without that point the path
 * is none, and proves nothing.
 */
function needsFreeUpcall({ problem }: Segments, { path }: Segment): boolean {
  const end = path[path.length - 1]?.f as number;
  const before = path[path.length - 2]?.f;
  if (before === undefined || path.filter(({ cut }) => cut).length < problem.rounds) return false;
  const { position } = problem.order;
  return (position[end] as number) <= (position[before] as number) && problem.required?.includes(end) !== true;
}

/** Rules out, or finds, placements of each size from the lower bound up to one less than what is known. */
function exact(segments: Segments, known: readonly number[], lowerBound: number): Placement {
  const { index, rounds } = segments.problem;
  const { sites, sets } = index.graph;
  const most = segments.judged + WORK / ((rounds + 1) * (1000 + sites.count + sets.members.length));
  for (let size = lowerBound; size < known.length; size++) {
    const points = search(segments, [], new Set(), size, most);
    if (points === "out of work") return { points: known, lowerBound: size, optimal: false };
    if (points !== null) return { points, lowerBound: points.length, optimal: true };
  }
  return { points: known, lowerBound: known.length, optimal: true };
}

/** A placement of at most `size` points that has all of `chosen` and none of `ruledOut`. */
function search(
  segments: Segments,
  chosen: readonly number[],
  ruledOut: ReadonlySet<number>,
  size: number,
  most: number,
): readonly number[] | null | "out of work" {
  if (segments.judged > most) return "out of work";
  const points = segments.mask(chosen);
  const worst = segments.worst(points, chosen);
  if (worst === null) return chosen;
  if (chosen.length === size) return null;
  // Whoever has `chosen` must also have one of these; who has the first is looked at first, then who has not.
  const without = new Set(ruledOut);
  for (const fix of segments.fixes(worst, points)) {
    if (without.has(fix)) continue;
    const found = search(segments, [...chosen, fix], without, size, most);
    if (found !== null) return found;
    without.add(fix);
  }
  return null;
}
