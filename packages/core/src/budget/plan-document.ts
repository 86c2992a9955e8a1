/**
 * What `plan --json` prints and `guard load --plan` reads: `spillway/plan@1`. All sizes are bytes of stack. Functions are named
 * by their ids, see budget-document.ts.
 */
import type { EdgeCertainty } from "./call-graph.ts";
import type { BudgetLevel } from "./levels.ts";

export const PLAN_SCHEMA = "spillway/plan@1";

export interface PlanDocument {
  readonly schema: typeof PLAN_SCHEMA;
  readonly kernel: { readonly release: string | null; readonly source: string; readonly name: string };
  /** The edges that segments follow. */
  readonly level: BudgetLevel;
  /** Upcalls that a segment takes at most, as a bound does; a call into a point is none. */
  readonly rounds: number;
  /** Size S of the stacks, the task's and the extra ones. */
  readonly stackBytes: number;
  /** R: kept free for what no path has in it (interrupts that land on the stack, what is not known). */
  readonly reserveBytes: number;
  /** T: a point that is called with at least that much in use switches. S - R - longest segment from a point. */
  readonly thresholdBytes: number;
  /** Bytes that a hooked point itself takes on the stack that it is called on. */
  readonly hookBytes: number;
  /** In the order of how much depth they take off. */
  readonly points: readonly PlanPoint[];
  /** The longest segments left, longest first. */
  readonly longestSegments: readonly PlanSegment[];
  /** No placement with fewer points keeps these limits; `points.length` is optimal where it equals that. */
  readonly lowerBound: number;
  /** True where `lowerBound` was reached, or every smaller placement was ruled out. */
  readonly optimal: boolean;
  /** What no placement of the candidates can keep within the limits: the worst of them. */
  readonly unfixable: readonly PlanUnfixable[];
  /** How many there are in all, by cause; causes of none are left out. */
  readonly unfixableCounts: Readonly<Partial<Record<UnfixableCause, number>>>;
  /** Functions that could have been chosen. */
  readonly candidateCount: number;
  /** Cycles without a point: nothing but the assumption that a segment takes at most `rounds` upcalls bounds them. */
  readonly cyclesLeft: readonly PlanCycle[];
  /** What the plan rests on, in words. */
  readonly notes: readonly string[];
}

/** How a point reports that no extra stack is free: -EIO as int or long, ERR_PTR(-EIO), or by failing its bio. */
export type PointReturns = "int" | "long" | "pointer" | "bio";

export interface PlanPoint {
  /** The symbol, as ftrace knows it. */
  readonly name: string;
  readonly module: string | null;
  readonly returns: PointReturns;
  /** Why it may be one: "known", "allowed by --allow", or how it was judged. */
  readonly why: string;
  /** The longest segment that begins at it. */
  readonly segmentBytes: number;
  /** Other functions that share its name: it cannot be told which one a hook would take. */
  readonly sameName: number;
}

export interface PlanSegment {
  /** "entry": from an entry to a point or a leaf. "point": from a point on. */
  readonly from: "entry" | "point";
  readonly start: string;
  /** The point that ends it, or null where it ends in a leaf. */
  readonly end: string | null;
  readonly bytes: number;
  /** What it has to be within. */
  readonly limitBytes: number;
  readonly path: readonly {
    readonly function: string;
    readonly bytes: number;
    readonly certainty: EdgeCertainty | null;
    /** True where it is called by an upcall. */
    readonly cut: boolean;
  }[];
  /** Why it is no shorter: "short enough", or in words what stands against it. */
  readonly why: string;
}

/**
 * Why a segment stays over its limit:
 * - `start`: candidates lie on it, but from its start another path stays as long whatever the placement;
 * - `threshold`: it begins at a point and fits a stack, but not above the threshold;
 * - `unjudged`: functions on it can be hooked, sleep and return an error, and would split it well enough; whether their callers let
 *   them sleep and fail is not known, and for a person to say (`--allow`);
 * - `coarse`: what lies between all functions on it that could be points is still too long;
 * - `no-point`: no function on it can be hooked, sleep and return an error.
 */
export const UNFIXABLE_CAUSES = ["start", "threshold", "unjudged", "coarse", "no-point"] as const;
export type UnfixableCause = (typeof UNFIXABLE_CAUSES)[number];

export interface PlanUnfixable extends PlanSegment {
  /** Bytes over the limit. */
  readonly excessBytes: number;
  readonly cause: UnfixableCause;
  /** `unjudged`: functions that together would split it well enough; for `--allow` by whoever knows that they may sleep and fail. */
  readonly allowable: readonly string[];
  /** Why the functions after the first are no points, by reason. */
  readonly bars: readonly { readonly why: string; readonly functions: number }[];
}

export interface PlanCycle {
  readonly functionCount: number;
  /** Ids; some of them where there are many. */
  readonly functions: readonly string[];
  readonly cutEdgeCount: number;
  /** True where no candidate lies on it: no placement bounds it. */
  readonly withoutCandidate: boolean;
  /** Bytes of one more round, the heaviest. */
  readonly roundBytes: number;
}
