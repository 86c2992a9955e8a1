/** Where to spill: a placement of critical points for a kernel, the threshold that follows, and what is left. */
import { SpillwayError } from "../../errors.ts";
import type { Budget } from "../budget.ts";
import { CERTAINTIES, type EdgeCertainty } from "../call-graph.ts";
import { findComponents } from "../components.ts";
import { levelCycles } from "../cycles.ts";
import { nodeBytes } from "../deepest-path.ts";
import { atLevel, type BudgetLevel } from "../levels.ts";
import { noFunctionTwice } from "../no-function-twice.ts";
import {
  PLAN_SCHEMA,
  type PlanCycle,
  type PlanDocument,
  type PlanPoint,
  type PlanSegment,
  type PlanUnfixable,
  type UnfixableCause,
} from "../plan-document.ts";
import { functionsFrom } from "../reachable.ts";
import { boundPasses } from "../solve.ts";
import { type AllowedPoint, type Candidate, findCandidates } from "./candidates.ts";
import { KNOWN_POINTS } from "./known-points.ts";
import { type Placement, placePoints } from "./placement.ts";
import { deepest, type Segment, type SegmentProblem, Segments } from "./segments.ts";
import { UnfixableJudge } from "./unfixable.ts";

export interface PlanOptions {
  readonly level?: BudgetLevel;
  /** THREAD_SIZE of the kernel where it is left out. */
  readonly stackBytes?: number;
  readonly reserveBytes?: number;
  /** The threshold is no lower than that; left out, it is as high as points can make it, within reason. */
  readonly thresholdBytes?: number;
  readonly allow?: readonly AllowedPoint[];
  readonly deny?: readonly string[];
  /**
   * Make every known entry point that lies on a cycle a point: recursion through them (a file system on a file on a file
   * system) is then bounded however often it goes round. Without it a stack is bounded for as many upcalls as the budget's
   * bounds let a path take.
   */
  readonly recursion?: boolean;
  /** Bound the paths from this function alone, an entry or not; left out, those from all entries on task stacks. */
  readonly entry?: string;
}

/** For an interrupt's way to its own stack (pt_regs and two frames), and the oops that tells what went wrong. Bytes. */
export const DEFAULT_RESERVE_BYTES = 1024;
/**
 * What a hooked point has on the stack it is called on before it switches: its return address, and in the costlier of the two
 * ways to hook ftrace_regs_caller's frame with pt_regs (arch/x86/kernel/ftrace_64.S) and the callback's. Bytes.
 */
export const HOOK_BYTES = 448;
/** The threshold that is aimed at: half of the stack. What no placement keeps may lower it to an eighth, but no further. */
const WANTED_THRESHOLD = 1 / 2;
const LEAST_THRESHOLD = 1 / 8;

const LISTED_SEGMENTS = 20;
const LISTED_UNFIXABLE = 100;
const LISTED_CYCLE_FUNCTIONS = 50;
/** SPW_MAX_POINTS of the module, less its self-test's (kernel-module/spillway.h). */
const MODULE_POINTS = 63;

/**
 * Chooses the critical points of a budget's kernel.
 * SPW_PLAN_NO_ROOM where reserve and threshold leave nothing of a stack; SPW_PLAN_BAD_POINT, SPW_BUDGET_NO_FUNCTION for `allow`.
 */
export function makePlan(budget: Budget, options: PlanOptions = {}): PlanDocument {
  const level = options.level ?? "slot-matched";
  const stackBytes = options.stackBytes ?? budget.program.threadSize;
  const reserveBytes = options.reserveBytes ?? DEFAULT_RESERVE_BYTES;
  const usable = stackBytes - reserveBytes;
  if (usable <= 0 || (options.thresholdBytes ?? 0) >= usable) {
    throw new SpillwayError("SPW_PLAN_NO_ROOM", "reserve and threshold leave nothing of the stack", {
      class: "usage",
      facts: { stackBytes, reserveBytes, thresholdBytes: options.thresholdBytes ?? 0 },
    });
  }
  const candidates = findCandidates(budget, options);
  const only = options.entry === undefined ? null : budget.names.find(options.entry);
  const starts = new Map<number, number>(only === null ? [] : [[only, 0]]);
  // A point never switches on another stack than a task's.
  for (const { f, stack, baseBytes } of budget.entries) {
    if (stack === "task" && (only === null || f === only)) starts.set(f, Math.max(starts.get(f) ?? 0, baseBytes));
  }
  const reached = only === null ? null : functionsFrom(budget.solved.index, level, only);
  const wanted = options.thresholdBytes ?? stackBytes * WANTED_THRESHOLD;
  const problem: SegmentProblem = {
    index: budget.solved.index,
    order: budget.solved.order,
    level,
    rounds: budget.solved.rounds,
    entries: [...starts].map(([f, baseBytes]) => ({ f, baseBytes })),
    candidates: candidates.map((candidate) => candidate.f),
    required: options.recursion === true ? onCycles(budget, level, candidates, reached) : [],
    limits: { entryBytes: usable, pointBytes: Math.max(0, usable - wanted), hookBytes: HOOK_BYTES },
  };
  // What is asked for stays; what is only wanted gives way to segments that nothing shortens.
  const longest = options.thresholdBytes === undefined ? usable - stackBytes * LEAST_THRESHOLD : 0;
  const segments = new Segments(fittingLimits(problem, longest));
  const placement = placePoints(segments);
  const points = segments.mask(placement.points);
  const cyclesLeft = cyclesWithout(budget, problem, points, reached);
  const plan = describe(budget, candidates, { segments, placement, points, cyclesLeft }, { stackBytes, reserveBytes });
  // No error: a list is kept for many kernels. But whoever mistypes a name is to see it.
  const strangers = (options.deny ?? []).filter((name) => budget.names.all(name).length === 0);
  if (strangers.length === 0) return plan;
  return { ...plan, notes: [...plan.notes, `denied, but no function of this kernel: ${strangers.join(", ")}`] };
}

/** Candidates that are known entry points and can come back to themselves. */
function onCycles(
  budget: Budget,
  level: BudgetLevel,
  candidates: readonly Candidate[],
  reached: Uint8Array | null,
): number[] {
  const { components } = atLevel(budget.solved.levels, level);
  return candidates
    .map(({ f }) => f)
    .filter((f) => {
      const known = KNOWN_POINTS.has(budget.graph.functions.name[f] as string);
      return known && reached?.[f] !== 0 && components.cyclic[components.of[f] as number] === 1;
    });
}

/**
 * Limits: segments from points as the wanted threshold leaves them; longer, down to the least threshold, where segments that no
 * candidate shortens need it.
 * @param longest how long segments from points may become by that, bytes
 */
function fittingLimits(problem: SegmentProblem, longest: number): SegmentProblem {
  const { least } = new Segments({ ...problem, entries: [] });
  let { pointBytes } = problem.limits;
  for (const f of problem.candidates) {
    const depth = least.depth[f] as number;
    if (depth <= longest) pointBytes = Math.max(pointBytes, depth);
  }
  return { ...problem, limits: { ...problem.limits, pointBytes } };
}

interface Placed {
  readonly segments: Segments;
  readonly placement: Placement;
  readonly points: Uint8Array;
  readonly cyclesLeft: readonly PlanCycle[];
}

/**
 * Cycles that are left where points end them: a round through a point is bounded by it, whatever the round is.
 * @param reached functions that count (1); null: all
 */
function cyclesWithout(
  budget: Budget,
  { index, level, candidates }: SegmentProblem,
  points: Uint8Array,
  reached: Uint8Array | null,
): PlanCycle[] {
  const { solved, names } = budget;
  const components = findComponents(index, { level, stops: points });
  const noTwice = noFunctionTwice(index, level, components);
  const own = { ...atLevel(solved.levels, level), components, noFunctionTwice: noTwice };
  const ids = (wanted: (f: number) => boolean): ReadonlySet<string> => new Set(names.ids.filter((_, f) => wanted(f)));
  const isCandidate = new Set(candidates);
  const candidateIds = ids((f) => isCandidate.has(f));
  const reachedIds = ids((f) => reached?.[f] !== 0);
  return levelCycles(solved, own, names)
    .cycles.filter(({ functions }) => reachedIds.has(functions[0] as string))
    .map((cycle) => ({
      functionCount: cycle.functionCount,
      functions: cycle.functions.slice(0, LISTED_CYCLE_FUNCTIONS),
      cutEdgeCount: cycle.cutEdgeCount,
      withoutCandidate: !cycle.functions.some((id) => candidateIds.has(id)),
      roundBytes: cycle.roundBytes,
    }));
}

function describe(
  budget: Budget,
  candidates: readonly Candidate[],
  { segments, placement, points, cyclesLeft }: Placed,
  sizes: { stackBytes: number; reserveBytes: number },
): PlanDocument {
  const { graph, names, program, solved } = budget;
  const { level, limits, entries, rounds } = segments.problem;
  const passes = segments.passes(points);
  const pass = deepest(passes);
  const unaided = deepest(boundPasses(solved, atLevel(solved.levels, level)));
  const all = segments.all(points, passes).sort((a, b) => b.bytes - a.bytes);
  const fitting = all.filter((segment) => segment.bytes <= segment.limitBytes);
  const unfit = all
    .filter((segment) => segment.bytes > segment.limitBytes)
    .sort((a, b) => b.bytes - b.limitBytes - (a.bytes - a.limitBytes));
  const ofPoints = fitting.filter(({ from }) => from === "point").map(({ bytes }) => bytes);
  // Where no segment from a point is short enough, the threshold that was aimed at is as good as any.
  const longest = ofPoints.length === 0 ? limits.pointBytes : Math.max(...ofPoints);
  const usable = sizes.stackBytes - sizes.reserveBytes;
  const over = entries.filter(({ f, baseBytes }) => baseBytes + (unaided.depth[f] as number) > usable).length;
  const described = (segment: Segment): PlanSegment => describeSegment(budget, segments, points, segment);
  const judge = new UnfixableJudge(budget, limits, segments.problem.candidates);
  const judged = unfit.map((segment) => ({ segment, ...judge.judge(segment, points) }));
  const unfixableCounts: Partial<Record<UnfixableCause, number>> = {};
  for (const { cause } of judged) unfixableCounts[cause] = (unfixableCounts[cause] ?? 0) + 1;
  const chosen = [...(segments.problem.required ?? []), ...placement.points];
  const byFunction = new Map(candidates.map((candidate) => [candidate.f, candidate]));
  return {
    schema: PLAN_SCHEMA,
    kernel: { release: program.release, source: program.source, name: program.name },
    level,
    rounds,
    ...sizes,
    // Stacks are in words of 16 bytes (System V ABI); a higher threshold than that of the limit is what the segments leave.
    thresholdBytes: Math.max(0, (usable - longest) & ~15),
    hookBytes: limits.hookBytes,
    points: chosen.map((f): PlanPoint => {
      const candidate = byFunction.get(f) as Candidate;
      const name = graph.functions.name[f] as string;
      return {
        name,
        module: graph.functions.module[f] as string | null,
        returns: candidate.returns,
        why: candidate.why,
        segmentBytes: pass.depth[f] as number,
        sameName: names.all(name).length - 1,
      };
    }),
    longestSegments: fitting.slice(0, LISTED_SEGMENTS).map(described),
    lowerBound: placement.lowerBound + chosen.length - placement.points.length,
    optimal: placement.optimal,
    unfixable: judged.slice(0, LISTED_UNFIXABLE).map(
      ({ segment, cause, allowable, bars }): PlanUnfixable => ({
        ...described(segment),
        why: WHY[cause],
        excessBytes: segment.bytes - segment.limitBytes,
        cause,
        allowable: allowable.map((f) => graph.functions.name[f] as string),
        bars,
      }),
    ),
    unfixableCounts,
    candidateCount: candidates.length,
    cyclesLeft,
    notes: notesOf(chosen, unfit.length, over, entries.length, cyclesLeft, rounds),
  };
}

const WHY: Readonly<Record<UnfixableCause, string>> = {
  start: "another path from its start stays as long whatever the placement",
  threshold: "it fits a stack, but not above the threshold",
  unjudged: "what could split it is not known to be called where it may sleep and fail (--allow)",
  coarse: "what lies between the functions that could be points is too long",
  "no-point": "no function on it could be a point (bars says why)",
};

function describeSegment(budget: Budget, segments: Segments, points: Uint8Array, segment: Segment): PlanSegment {
  const { names, graph } = budget;
  const last = segment.path[segment.path.length - 1]?.f as number;
  const endsInPoint = segment.path.length > 1 && points[last] === 1;
  const bytes = nodeBytes(graph, segment.path);
  if (endsInPoint) bytes[bytes.length - 1] = segments.problem.limits.hookBytes;
  return {
    from: segment.from,
    start: names.ids[segment.start] as string,
    end: endsInPoint ? (names.ids[last] as string) : null,
    bytes: segment.bytes,
    limitBytes: segment.limitBytes,
    path: segment.path.map(({ f, site, certainty, cut }, at) => ({
      function: names.ids[f] as string,
      bytes: bytes[at] as number,
      certainty: site < 0 ? null : (CERTAINTIES[certainty] as EdgeCertainty),
      cut,
    })),
    why: "short enough",
  };
}

function notesOf(
  points: readonly number[],
  unfit: number,
  over: number,
  entries: number,
  cyclesLeft: readonly PlanCycle[],
  rounds: number,
): string[] {
  const which = over === 0 ? `none of ${entries} entries` : `${over} of ${entries} entries`;
  const notes = [`without points ${which} on task stacks could exceed a stack less its reserve`];
  if (unfit > 0) {
    const stay = unfit === 1 ? "1 segment stays" : `${unfit} segments stay`;
    notes.push(`${stay} too long whatever the placement: the guarantee holds for all other starts`);
  }
  if (cyclesLeft.length > 0) {
    const have =
      cyclesLeft.length === 1 ? "1 cycle has no point on it" : `${cyclesLeft.length} cycles have no point on them`;
    const calls = rounds === 1 ? "1 upcall" : `${rounds} upcalls`;
    notes.push(`${have}: that a segment takes at most ${calls} is assumed there, as the bounds assume it`);
  }
  if (points.length === 0 && unfit === 0 && cyclesLeft.some(({ withoutCandidate }) => !withoutCandidate)) {
    notes.push("no point is needed for what bounds tell; --recursion makes points that bound recursion");
  }
  if (points.length > MODULE_POINTS) {
    notes.push(`spillway.ko takes at most ${MODULE_POINTS} points: a lower threshold or fewer entries need fewer`);
  }
  return notes;
}
