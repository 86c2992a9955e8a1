/** How much of what a kernel did its call graph foresaw. */
import { CERTAINTIES, DEPTH_KINDS, type EdgeCertainty } from "../call-graph.ts";
import type { CallMatcher, Match, MissReason } from "./call-matcher.ts";
import type { ObservedCall, ObservedNesting } from "./read-recording.ts";

/** A call that happened and is not in the graph. */
export interface Miss {
  /** Of the call: its return address, or the caller's start where only that is known. */
  readonly at: number;
  readonly callee: number;
  readonly reason: MissReason;
}

export interface Recall {
  /** Distinct calls that are in the graph by the least sure edge on the way. */
  readonly found: Record<EdgeCertainty, number>;
  readonly misses: Miss[];
  /** Not judged: an end lies in code that is gone since, or an interrupt came in between. */
  outside: number;
}

export const newRecall = (): Recall => ({ found: { proven: 0, typed: 0, assumed: 0 }, misses: [], outside: 0 });

/** Of the calls judged, the share that the graph has; 1 where there were none. */
export function recallOf(recall: Recall): number {
  const found = CERTAINTIES.reduce((sum, certainty) => sum + recall.found[certainty], 0);
  return found + recall.misses.length === 0 ? 1 : found / (found + recall.misses.length);
}

export function tally(recall: Recall, match: Match, at: number, callee: number): void {
  if (match.found === null) recall.misses.push({ at, callee, reason: match.reason });
  else recall.found[match.found]++;
}

/** @param isText whether code of the graph is at an address; what lies elsewhere ran at start-up and is gone */
export function recallOfCalls(
  matcher: CallMatcher,
  calls: readonly ObservedCall[],
  isText: (at: number) => boolean,
): Recall {
  const recall = newRecall();
  for (const { returnAddress, callee } of calls) {
    const f = matcher.functionAt(callee);
    if (f < 0 || !isText(returnAddress - 1)) recall.outside++;
    else tally(recall, matcher.matchCall(returnAddress, f), returnAddress, callee);
  }
  return recall;
}

/**
 * Nesting within one context. A function that no site leads to from anywhere, as the handlers that entry code calls may be
 * seen from whatever they interrupt, is judged by the function tracer's return addresses only.
 * @param isTraceable whether ftrace sees the function
 * @param entered functions that exceptions enter: what they call is nested in any function
 */
export function recallOfNestings(
  matcher: CallMatcher,
  nestings: readonly ObservedNesting[],
  isTraceable: (f: number) => boolean,
): Recall {
  const recall = newRecall();
  const interrupting = calledByEntries(matcher, isTraceable);
  for (const { caller, callee, sameContext } of nestings) {
    const [from, to] = [matcher.functionAt(caller), matcher.functionAt(callee)];
    if (from < 0 || to < 0 || !sameContext) {
      recall.outside++;
      continue;
    }
    const match = matcher.matchNesting(from, to, (f) => !isTraceable(f));
    if (match.found === null && interrupting.has(to)) recall.outside++;
    else tally(recall, match, matcher.graph.functions.start[from] as number, callee);
  }
  return recall;
}

/** Functions that ftrace sees first once an interrupt or exception has come: reached from code that nothing calls. */
function calledByEntries(matcher: CallMatcher, isTraceable: (f: number) => boolean): Set<number> {
  const { functions, sites } = matcher.graph;
  const sitesOf = new Map<number, number[]>();
  for (let site = 0; site < sites.count; site++) {
    const caller = sites.caller[site] as number;
    const list = sitesOf.get(caller);
    if (list === undefined) sitesOf.set(caller, [site]);
    else list.push(site);
  }
  const first = new Set<number>();
  const seen = new Set<number>();
  const open: number[] = [];
  for (let f = 0; f < functions.count; f++) {
    if (!matcher.isCalled(f) && !isTraceable(f) && functions.module[f] === null) open.push(f);
  }
  for (let f = open.pop(); f !== undefined; f = open.pop()) {
    if (seen.has(f)) continue;
    seen.add(f);
    for (const site of sitesOf.get(f) ?? []) {
      for (const target of matcher.targets(site, "typed")) {
        if (isTraceable(target)) first.add(target);
        else open.push(target);
      }
    }
  }
  return first;
}

/** Neighbours on stacks: each address returns into a function that called the one before. */
export function recallOfStacks(
  matcher: CallMatcher,
  stacks: readonly (readonly number[])[],
  isText: (at: number) => boolean,
): Recall {
  const recall = newRecall();
  const seen = new Set<string>();
  for (const stack of stacks) {
    for (let i = 0; i + 1 < stack.length; i++) {
      const [inner, outer] = [stack[i] as number, stack[i + 1] as number];
      const key = `${inner} ${outer}`;
      if (seen.has(key)) continue;
      seen.add(key);
      // Above the entry of an interrupt stands no return address, but where it came: maybe at a function's very first byte.
      const entry = i === 0 ? -1 : functionOfReturn(matcher, stack[i - 1] as number);
      const exact = entry >= 0 && matcher.isInterruptEntry(entry);
      const callee = exact ? matcher.functionAt(inner) : functionOfReturn(matcher, inner);
      if (callee < 0 || !isText(inner - 1) || !isText(outer - 1)) recall.outside++;
      else if (matcher.isInterruptEntry(callee) || matcher.isFarReturn(outer)) recall.outside++;
      else tally(recall, matcher.matchCall(outer, callee), outer, inner);
    }
  }
  return recall;
}

/** The function that a return address is in: that of the call before it, which may be in a cold part. */
export function functionOfReturn(matcher: CallMatcher, address: number): number {
  const site = matcher.sitesBefore(address)[0];
  return site === undefined ? matcher.functionAt(address - 1) : (matcher.graph.sites.caller[site] as number);
}

/** A frame whose size differs from what the graph says of its call site. */
export interface SizeDifference {
  readonly at: number;
  readonly observed: number;
  readonly expected: number;
}

export interface SizeComparison {
  /** Distinct frames compared that were equal, or within a bound that says "at most" or "at least". */
  equal: number;
  readonly differences: SizeDifference[];
  /** Where the graph says itself that it does not know. */
  unknown: number;
  outside: number;
}

export const newSizes = (): SizeComparison => ({ equal: 0, differences: [], unknown: 0, outside: 0 });

/** Compares the bytes that a frame took above a callee with the graph's at that call site. */
export function compareSize(
  sizes: SizeComparison,
  matcher: CallMatcher,
  returnAddress: number,
  observed: number,
): void {
  const { bytes, depthKind } = matcher.graph.sites;
  const sites = matcher.sitesBefore(returnAddress);
  if (sites.length === 0) {
    sizes.outside++;
    return;
  }
  const fits = sites.map((site) => sizeFits(bytes[site] as number, DEPTH_KINDS[depthKind[site] as number], observed));
  if (fits.includes(true)) sizes.equal++;
  else if (fits.includes(null)) sizes.unknown++;
  else sizes.differences.push({ at: returnAddress, observed, expected: bytes[sites[0] as number] as number });
}

function sizeFits(bytes: number, kind: string | undefined, observed: number): boolean | null {
  if (kind === "exact") return observed === bytes;
  if (kind === "at-most") return observed <= bytes;
  if (kind === "at-least") return observed >= bytes;
  return null;
}
