/** Why no placement keeps a segment within its limit: what bars the functions on it, and which of them a person could allow. */
import type { Budget } from "../budget.ts";
import { nodeBytes } from "../deepest-path.ts";
import { deepestContexts } from "../depths.ts";
import type { UnfixableCause } from "../plan-document.ts";
import { returnsOf, sleeping, whyNotHooked } from "./candidates.ts";
import type { Segment, SegmentLimits } from "./segments.ts";

export interface Unfixable {
  readonly cause: UnfixableCause;
  /** For `unjudged`: what would do as points, as few as the path needs. */
  readonly allowable: readonly number[];
  /** Of the functions after the first: how many are no points for which reason, the commonest first. */
  readonly bars: readonly { readonly why: string; readonly functions: number }[];
}

/** What the pieces of a path have to be within, in bytes. */
export interface PieceLimits {
  readonly first: number;
  readonly later: number;
  /** What the point that ends a piece takes of it. */
  readonly hook: number;
}

/**
 * The fewest places at which a path can be split so that each piece is within its limit: each as far on as the limit lets it
 * be, which is best since pieces only get shorter by it. Null where no places do.
 * @param bytes of each function on the path
 * @param mayCut where it may be split; never at its first function
 */
export function splitPath(
  bytes: readonly number[],
  mayCut: readonly boolean[],
  { first, later, hook }: PieceLimits,
): number[] | null {
  const cuts: number[] = [];
  for (let start = 0, limit = first; ; limit = later) {
    let used = 0;
    let furthest = -1;
    for (let at = start; at < bytes.length; at++) {
      if (at > start && mayCut[at] === true && used + hook <= limit) furthest = at;
      used += bytes[at] as number;
    }
    if (used <= limit) return cuts;
    if (furthest < 0) return null;
    cuts.push(furthest);
    start = furthest;
  }
}

/** Cut edges on a way from an interrupt's entry at most: softirqs and what protocols hang up in tables are such, too. */
const UPCALLS = 3;

/** Judges what is left of a placement. */
export class UnfixableJudge {
  private readonly budget: Budget;
  private readonly limits: SegmentLimits;
  private readonly candidates: ReadonlySet<number>;
  private readonly sleeps: Uint8Array;
  /** Bytes above a function on the deepest way to it from an interrupt's entry; -1 where none leads there. */
  private readonly interrupted: Int32Array;
  private readonly bars = new Map<number, string | null>();

  constructor(budget: Budget, limits: SegmentLimits, candidates: Iterable<number>) {
    this.budget = budget;
    this.limits = limits;
    this.candidates = new Set(candidates);
    this.sleeps = sleeping(budget);
    const { index, order } = budget.solved;
    const starts = new Int32Array(budget.graph.functions.count).fill(-1);
    for (const { f, stack } of budget.entries) if (stack !== "task") starts[f] = 0;
    this.interrupted = deepestContexts(index, order, "slot-matched", UPCALLS, starts).at(-1)?.above as Int32Array;
  }

  /** @param points those of the placement (1) */
  judge(segment: Segment, points: Uint8Array): Unfixable {
    const { entryBytes, pointBytes, hookBytes } = this.limits;
    const bars = this.barsOn(segment, points);
    if (segment.from === "point" && segment.bytes <= entryBytes) return { cause: "threshold", allowable: [], bars };
    const bytes = nodeBytes(this.budget.graph, segment.path);
    const base = segment.bytes - bytes.reduce((sum, each) => sum + each, 0);
    const mayCut = segment.path.map(({ f }) => points[f] !== 1 && this.barOf(f) === null);
    const limits = { first: segment.limitBytes - base, later: pointBytes, hook: hookBytes };
    const cuts = splitPath(bytes, mayCut, limits);
    if (cuts === null) return { cause: mayCut.slice(1).includes(true) ? "coarse" : "no-point", allowable: [], bars };
    const places = new Set(cuts.map((at) => segment.path[at]?.f as number));
    const allowable = [...places].filter((f) => !this.candidates.has(f));
    return { cause: allowable.length === 0 ? "start" : "unjudged", allowable, bars };
  }

  private barsOn({ path }: Segment, points: Uint8Array): Unfixable["bars"] {
    const counts = new Map<string, number>();
    for (const { f } of path.slice(1)) {
      const why =
        points[f] === 1 || this.candidates.has(f)
          ? null
          : (this.barOf(f) ?? "whether it may sleep and fail is not known");
      if (why !== null) counts.set(why, (counts.get(why) ?? 0) + 1);
    }
    return [...counts].map(([why, functions]) => ({ why, functions })).sort((a, b) => b.functions - a.functions);
  }

  /** Why a function can be no point, whatever its callers are; null where it could. */
  private barOf(f: number): string | null {
    let bar = this.bars.get(f);
    if (bar === undefined) {
      bar = this.candidates.has(f) ? null : this.findBar(f);
      this.bars.set(f, bar);
    }
    return bar;
  }

  private findBar(f: number): string | null {
    const hook = whyNotHooked(this.budget, f);
    if (hook !== null) return hook;
    const returns = returnsOf(this.budget, f);
    if (returns === null) return "it returns no error";
    if (returns === "pointer") return "it returns a pointer, in which an error may not fit";
    if (this.sleeps[f] !== 1) return "direct calls lead from it to none that sleeps";
    return (this.interrupted[f] as number) < 0 ? null : "ways lead to it from where nobody may sleep";
  }
}
