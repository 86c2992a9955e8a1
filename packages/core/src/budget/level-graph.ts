/**
 * The edges that a level follows, as the searches for deepest paths want them: of several sites by which a function goes on in
 * the same callee, or in the same set of callees, only the first of those with most bytes, since no deepest path takes another.
 */
import type { CallGraph } from "./call-graph.ts";
import { assumedSetAt, typedSetAt } from "./level-sets.ts";
import type { BudgetLevel } from "./levels.ts";
import { type Memberships, membershipsIn } from "./memberships.ts";

/** Kinds of edges: the indexes into CERTAINTIES, and a call of no known callee, which leaves its return address. */
export const DIRECT = 0;
export const TYPED = 1;
export const ASSUMED = 2;
export const BARE = 3;

/** Its memberships are those in followed sets. */
export interface LevelGraph extends Memberships {
  /** Typed set of each site; -1 where the level follows none. */
  readonly typedSet: Int32Array;
  readonly assumedSet: Int32Array;
  /** True (1) for the sets that a site leads to at the level. */
  readonly followed: Uint8Array;
  /** A function's edges, in the order of their sites: `first[f]` up to `first[f + 1]` in the columns that follow. */
  readonly first: Int32Array;
  readonly kind: Uint8Array;
  /** The callee of a direct edge, the set of a typed or an assumed one; -1 of a bare one. */
  readonly to: Int32Array;
  readonly bytes: Int32Array;
  readonly site: Int32Array;
}

type Edges = Pick<LevelGraph, "first" | "kind" | "to" | "bytes" | "site">;

/** @param all that of the level which follows most, for the others, whose edges are among its own */
export function levelGraph(graph: CallGraph, level: BudgetLevel, all: LevelGraph | null): LevelGraph {
  const { functions, sites, sets } = graph;
  const typedSet = new Int32Array(sites.count).fill(-1);
  const assumedSet = new Int32Array(sites.count).fill(-1);
  const followed = new Uint8Array(sets.count);
  if (level !== "direct") {
    for (let site = 0; site < sites.count; site++) {
      const typed = typedSetAt(graph, level, site);
      const assumed = assumedSetAt(graph, level, site);
      typedSet[site] = typed;
      assumedSet[site] = assumed;
      if (typed >= 0) followed[typed] = 1;
      if (assumed >= 0) followed[assumed] = 1;
    }
  }
  return {
    typedSet,
    assumedSet,
    followed,
    ...membershipsIn(sets, functions.count, followed),
    ...(all === null ? distinctEdges(graph, typedSet, assumedSet) : edgesAmong(all, level)),
  };
}

/** Of the edges of all levels those that one follows. */
function edgesAmong(all: Edges, level: BudgetLevel): Edges {
  const follows = new Uint8Array(4);
  follows[DIRECT] = follows[BARE] = 1;
  follows[TYPED] = level === "direct" ? 0 : 1;
  const first = new Int32Array(all.first.length);
  const kind = new Uint8Array(all.kind.length);
  const to = new Int32Array(all.to.length);
  const bytes = new Int32Array(all.bytes.length);
  const site = new Int32Array(all.site.length);
  let count = 0;
  for (let f = 0; f + 1 < first.length; f++) {
    for (let at = all.first[f]!; at < all.first[f + 1]!; at++) {
      if (follows[all.kind[at]!] === 0) continue;
      kind[count] = all.kind[at]!;
      to[count] = all.to[at]!;
      bytes[count] = all.bytes[at]!;
      site[count++] = all.site[at]!;
    }
    first[f + 1] = count;
  }
  return cut({ first, kind, to, bytes, site }, count);
}

/** Without the room that was not needed. */
function cut({ first, kind, to, bytes, site }: Edges, count: number): Edges {
  return {
    first,
    kind: kind.slice(0, count),
    to: to.slice(0, count),
    bytes: bytes.slice(0, count),
    site: site.slice(0, count),
  };
}

function distinctEdges({ functions, sites, sets }: CallGraph, typedSet: Int32Array, assumedSet: Int32Array): Edges {
  // Keys of what an edge leads to: functions, typed sets, assumed sets, and nothing known.
  const typedKey = functions.count;
  const assumedKey = typedKey + sets.count;
  const bareKey = assumedKey + sets.count;
  // The site that is kept of the function's edges to each key, where the stamp is the function's.
  const kept = new Int32Array(bareKey + 1);
  const stamp = new Int32Array(bareKey + 1).fill(-1);
  const most = edgesAtMost(sites, typedSet, assumedSet);
  const first = new Int32Array(functions.count + 1);
  const kind = new Uint8Array(most);
  const to = new Int32Array(most);
  const bytes = new Int32Array(most);
  const siteOf = new Int32Array(most);
  let count = 0;

  const keep = (f: number, key: number, site: number): void => {
    if (stamp[key] !== f || sites.bytes[site]! > sites.bytes[kept[key]!]!) {
      stamp[key] = f;
      kept[key] = site;
    }
  };
  const take = (key: number, site: number, own: number, target: number): void => {
    if (kept[key] !== site) return;
    kind[count] = own;
    to[count] = target;
    bytes[count] = sites.bytes[site]!;
    siteOf[count] = site;
    count++;
  };
  for (let f = 0, begin = 0; f < functions.count; f++) {
    let site = begin;
    for (; site < sites.count && sites.caller[site] === f; site++) {
      const callee = sites.callee[site]!;
      keep(f, callee >= 0 ? callee : bareKey, site);
      if (typedSet[site]! >= 0) keep(f, typedKey + typedSet[site]!, site);
      if (assumedSet[site]! >= 0) keep(f, assumedKey + assumedSet[site]!, site);
    }
    const end = site;
    for (site = begin; site < end; site++) {
      const callee = sites.callee[site]!;
      if (callee >= 0) take(callee, site, DIRECT, callee);
      else take(bareKey, site, BARE, -1);
      if (typedSet[site]! >= 0) take(typedKey + typedSet[site]!, site, TYPED, typedSet[site]!);
      if (assumedSet[site]! >= 0) take(assumedKey + assumedSet[site]!, site, ASSUMED, assumedSet[site]!);
    }
    begin = end;
    first[f + 1] = count;
  }
  return cut({ first, kind, to, bytes, site: siteOf }, count);
}

function edgesAtMost(sites: CallGraph["sites"], typedSet: Int32Array, assumedSet: Int32Array): number {
  let most = sites.count;
  for (let site = 0; site < sites.count; site++) {
    if (typedSet[site]! >= 0) most++;
    if (assumedSet[site]! >= 0) most++;
  }
  return most;
}
