/**
 * What a placement of critical points has to keep, and whether one does.
 *
 * Let S be the size of a stack, R a reserve, C the set of points and T the threshold: a point that is called with at least T
 * bytes in use goes on with an extra stack, else it stays. A *segment* is a path from an entry or a point to the next point or to
 * a leaf. Then on any stack
 * - before the first point at most `base + E` bytes are used, E being the deepest segment from the entry. So: base + E <= S - R.
 * - from a point that stays there were less than T in use, and at most L more follow up to the next point, L being the deepest
 *   segment from a point; that one switches, or stays with less than T in use, and the argument starts again. A point that
 *   switches starts with nothing in use. So: T + L <= S - R.
 * The segment to a point has in it what the point itself takes before it switches (`hookBytes`). Of all thresholds that fit, the
 * largest makes the fewest calls switch: T = S - R - L. Both together mean that a placement for a threshold of at least T keeps
 * entries' segments within S - R and points' segments within S - R - T.
 *
 * Segments go by the same paths as the bounds: in the same order of the functions, with as many upcalls (solve.ts). So a path
 * that a bound could tell, cut at its points, has no piece that is no segment; and without points the deepest segment from an
 * entry is its bound. Each segment may take that many upcalls anew, and a call into a point is none of them: recursion with a
 * point on it is bounded however often it goes round.
 */
import type { CallOrder } from "../call-layers.ts";
import { type PathNode, pathFrom } from "../deepest-path.ts";
import { type DepthPass, deepestPaths } from "../depths.ts";
import type { GraphIndex } from "../graph-index.ts";
import type { BudgetLevel } from "../levels.ts";

export interface SegmentLimits {
  /** S - R: for what lies on the stack before the first point, the entry's base included. */
  readonly entryBytes: number;
  /** S - R - T: for segments that begin at a point. */
  readonly pointBytes: number;
  /** Bytes that a point takes on the stack that it is called on. */
  readonly hookBytes: number;
}

export interface SegmentStart {
  readonly f: number;
  /** Bytes in use before its frame; 0 for a point. */
  readonly baseBytes: number;
}

export interface SegmentProblem {
  readonly index: GraphIndex;
  readonly order: CallOrder;
  readonly level: BudgetLevel;
  /** Upcalls that a segment may take. */
  readonly rounds: number;
  readonly entries: readonly SegmentStart[];
  /** Functions that may be points. */
  readonly candidates: readonly number[];
  /** Points of every placement, beside those that are chosen. */
  readonly required?: readonly number[];
  readonly limits: SegmentLimits;
}

export interface Segment {
  readonly from: "entry" | "point";
  readonly start: number;
  readonly bytes: number;
  readonly limitBytes: number;
  readonly path: readonly PathNode[];
}

/** The pass that has the depths with all upcalls that may be taken. */
export function deepest(passes: readonly DepthPass[]): DepthPass {
  return passes[passes.length - 1] as DepthPass;
}

/** Judges placements. Where even all candidates together leave a segment too long, what they leave is that start's limit. */
export class Segments {
  readonly problem: SegmentProblem;
  readonly isCandidate: Uint8Array;
  /** Depths with every candidate a point: no placement gets lower at any function. */
  readonly least: DepthPass;
  /** Placements judged so far. */
  judged = 0;

  constructor(problem: SegmentProblem) {
    this.problem = problem;
    this.isCandidate = new Uint8Array(problem.index.graph.functions.count);
    for (const f of [...problem.candidates, ...(problem.required ?? [])]) this.isCandidate[f] = 1;
    this.least = deepest(this.passes(this.isCandidate));
  }

  /** Depths with the points of `points` (1): those of segments are the last pass's. */
  passes(points: Uint8Array, hookBytes = this.problem.limits.hookBytes): DepthPass[] {
    const { index, order, level, rounds } = this.problem;
    return deepestPaths(index, order, level, rounds, { stops: points, bytes: hookBytes });
  }

  entryLimit({ f, baseBytes }: SegmentStart): number {
    return Math.max(this.problem.limits.entryBytes, baseBytes + (this.least.depth[f] as number));
  }

  pointLimit(f: number): number {
    return Math.max(this.problem.limits.pointBytes, this.least.depth[f] as number);
  }

  /** The deepest segments from all entries and points, in any order. */
  all(points: Uint8Array, passes = this.passes(points)): Segment[] {
    const pass = deepest(passes);
    const segments: Segment[] = this.problem.entries.map((entry) => ({
      from: "entry",
      start: entry.f,
      bytes: entry.baseBytes + (pass.depth[entry.f] as number),
      limitBytes: this.problem.limits.entryBytes,
      path: pathFrom(passes, entry.f, points),
    }));
    for (let f = 0; f < points.length; f++) {
      if (points[f] !== 1) continue;
      segments.push({
        from: "point",
        start: f,
        bytes: pass.depth[f] as number,
        limitBytes: this.problem.limits.pointBytes,
        path: pathFrom(passes, f, points),
      });
    }
    return segments;
  }

  /** The segment that is most too long, null where none is; `chosen`: the points beside those required. */
  worst(points: Uint8Array, chosen: Iterable<number>, passes = this.passes(points)): Segment | null {
    this.judged++;
    const pass = deepest(passes);
    let most = 0;
    let found: Pick<Segment, "from" | "start" | "bytes" | "limitBytes"> | null = null;
    for (const entry of this.problem.entries) {
      const bytes = entry.baseBytes + (pass.depth[entry.f] as number);
      const limitBytes = this.entryLimit(entry);
      if (bytes - limitBytes <= most) continue;
      most = bytes - limitBytes;
      found = { from: "entry", start: entry.f, bytes, limitBytes };
    }
    for (const f of [...(this.problem.required ?? []), ...chosen]) {
      const bytes = pass.depth[f] as number;
      const limitBytes = this.pointLimit(f);
      if (bytes - limitBytes <= most) continue;
      most = bytes - limitBytes;
      found = { from: "point", start: f, bytes, limitBytes };
    }
    return found === null ? null : { ...found, path: pathFrom(passes, found.start, points) };
  }

  /** Candidates on a segment that could shorten it: all but its start and the point that ends it. */
  fixes(segment: Segment, points: Uint8Array): number[] {
    return segment.path.slice(1).flatMap(({ f }) => (this.isCandidate[f] === 1 && points[f] !== 1 ? [f] : []));
  }

  mask(chosen: Iterable<number>): Uint8Array {
    const points = new Uint8Array(this.isCandidate.length);
    for (const f of [...(this.problem.required ?? []), ...chosen]) points[f] = 1;
    return points;
  }

  keeps(chosen: readonly number[]): boolean {
    return this.worst(this.mask(chosen), chosen) === null;
  }
}
