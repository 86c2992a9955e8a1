/**
 * The deepest path from every function, and the deepest context of every function, at one level, over the edges that the order
 * does not cut; and again with so many cut edges on a path as `rounds` allows.
 *
 * The order goes from callers to callees, so one pass over it from its end sees every callee before its callers. What a set of
 * callees is worth is kept as a running maximum: when a site is looked at, the members that were seen are just those that stand
 * behind its function in the order, so no edge between a site and a member is ever looked at on its own. A pass costs time in
 * proportion to sites and memberships.
 */
import type { CallOrder } from "./call-layers.ts";
import type { GraphIndex } from "./graph-index.ts";
import { BARE, DIRECT } from "./level-graph.ts";
import { assumedSetAt, typedSetAt } from "./level-sets.ts";
import type { BudgetLevel } from "./levels.ts";

/** Bytes of a return address: the least that a call to an unknown function takes. */
export const RETURN_ADDRESS_BYTES = 8;

/**
 * Functions at which paths end (1), and the bytes that such an end takes: critical points. A call to one is no cut edge, wherever it
 * leads in the order.
 */
export interface PathStops {
  readonly stops: Uint8Array;
  readonly bytes: number;
}

/** The best continuation of every function, for paths that take at most so many cut edges as there were passes before. */
export interface DepthPass {
  /** Bytes of the deepest path, from the function's CFA. */
  readonly depth: Int32Array;
  /** The site it goes on at; -1 where the function's own frame is the deepest, or the bare return address of an indirect call. */
  readonly site: Int32Array;
  /** The function it goes on in; -1 likewise. */
  readonly callee: Int32Array;
  /** Index into CERTAINTIES of the edge. */
  readonly certainty: Uint8Array;
  /** 1 where the edge is a cut one, so that the path goes on in the pass before. */
  readonly cut: Uint8Array;
}

/** Gives `rounds + 1` passes: the first takes no cut edge. */
export function deepestPaths(
  index: GraphIndex,
  order: CallOrder,
  level: BudgetLevel,
  rounds: number,
  end: PathStops | null = null,
): DepthPass[] {
  const passes: DepthPass[] = [];
  let before: { readonly pass: DepthPass; readonly setDepth: Int32Array } | null = null;
  for (let round = 0; round <= rounds; round++) {
    before = onePass(index, order, level, before, end);
    passes.push(before.pass);
  }
  return passes;
}

/** @returns the pass, and the depth of each set's deepest member; -1 where it has none */
function onePass(
  index: GraphIndex,
  order: CallOrder,
  level: BudgetLevel,
  before: { readonly pass: DepthPass; readonly setDepth: Int32Array } | null,
  end: PathStops | null,
): { pass: DepthPass; setDepth: Int32Array } {
  const { functions, sets } = index.graph;
  const { sequence, position } = order;
  const { first, kind, to, bytes, site, firstSet, setsOf } = index.at(level);
  const depth = new Int32Array(functions.count);
  const bestSite = new Int32Array(functions.count).fill(-1);
  const bestCallee = new Int32Array(functions.count).fill(-1);
  const certainty = new Uint8Array(functions.count);
  const cut = new Uint8Array(functions.count);
  // Of each set: the deepest member so far.
  const setDepth = new Int32Array(sets.count).fill(-1);
  const setMember = new Int32Array(sets.count);
  if (end !== null) stopsInSets(index, end, setDepth, setMember);
  const depthBefore = before === null ? null : before.pass.depth;
  const setDepthBefore = before === null ? null : before.setDepth;
  const members = before === null ? null : new DeepestMembers(index, before.pass.depth, end);

  for (let place = functions.count - 1; place >= 0; place--) {
    const f = sequence[place]!;
    let best = functions.ownBytes[f]!;
    let edge = -1;
    let isCut = 0;
    for (let at = first[f]!; at < first[f + 1]!; at++) {
      const own = bytes[at]!;
      const target = to[at]!;
      if (kind[at] === DIRECT) {
        let from: number;
        let goesBack = 0;
        if (end !== null && end.stops[target] === 1) from = end.bytes;
        else if (position[target]! > place) from = depth[target]!;
        else if (depthBefore !== null) {
          from = depthBefore[target]!;
          goesBack = 1;
        } else continue;
        if (own + from <= best) continue;
        best = own + from;
        edge = at;
        isCut = goesBack;
      } else if (kind[at] === BARE) {
        // Whatever it calls, if the level knows that at all: the return address is there.
        if (own + RETURN_ADDRESS_BYTES <= best) continue;
        best = own + RETURN_ADDRESS_BYTES;
        edge = -1;
      } else {
        if (setDepth[target]! >= 0 && own + setDepth[target]! > best) {
          best = own + setDepth[target]!;
          edge = at;
          isCut = 0;
        }
        if (setDepthBefore !== null && setDepthBefore[target]! >= 0 && own + setDepthBefore[target]! > best) {
          best = own + setDepthBefore[target]!;
          edge = at;
          isCut = 1;
        }
      }
    }
    depth[f] = best;
    if (edge >= 0) {
      const target = to[edge]!;
      bestSite[f] = site[edge]!;
      certainty[f] = kind[edge]!;
      cut[f] = isCut;
      bestCallee[f] = kind[edge] === DIRECT ? target : isCut === 0 ? setMember[target]! : members!.of(target);
    }
    if (end !== null && end.stops[f] === 1) continue;
    for (let at = firstSet[f]!; at < firstSet[f + 1]!; at++) {
      const set = setsOf[at]!;
      if (best <= setDepth[set]!) continue;
      setDepth[set] = best;
      setMember[set] = f;
    }
  }
  return { pass: { depth, site: bestSite, callee: bestCallee, certainty, cut }, setDepth };
}

function stopsInSets(index: GraphIndex, end: PathStops, setDepth: Int32Array, setMember: Int32Array): void {
  const { firstSet, setsOf } = index;
  for (let f = 0; f < end.stops.length; f++) {
    if (end.stops[f] !== 1) continue;
    for (let at = firstSet[f]!; at < firstSet[f + 1]!; at++) {
      setDepth[setsOf[at]!] = end.bytes;
      setMember[setsOf[at]!] = f;
    }
  }
}

/** The deepest members of sets in a pass, the first of those that are as deep; looked for when a path goes on in one. */
class DeepestMembers {
  readonly #index: GraphIndex;
  readonly #depth: Int32Array;
  readonly #end: PathStops | null;
  readonly #known: Int32Array;

  constructor(index: GraphIndex, depth: Int32Array, end: PathStops | null) {
    this.#index = index;
    this.#depth = depth;
    this.#end = end;
    this.#known = new Int32Array(index.graph.sets.count).fill(-1);
  }

  of(set: number): number {
    if (this.#known[set]! >= 0) return this.#known[set]!;
    const { start, members } = this.#index.graph.sets;
    let most = -1;
    for (let at = start[set]!; at < start[set + 1]!; at++) {
      const f = members[at]!;
      if (this.#depth[f]! <= most || this.#end?.stops[f] === 1) continue;
      most = this.#depth[f]!;
      this.#known[set] = f;
    }
    return this.#known[set]!;
  }
}

/** How each function is reached at its deepest. */
export interface ContextPass {
  /** Bytes in use above the function's CFA on the deepest way to it; -1 where no start reaches it. */
  readonly above: Int32Array;
  /** The site that it comes by; -1 where it starts there itself. */
  readonly site: Int32Array;
  readonly certainty: Uint8Array;
  readonly cut: Uint8Array;
}

/** The deepest context of every function. `base`: bytes in use where a path starts at a function, -1 where none does. */
export function deepestContexts(
  index: GraphIndex,
  order: CallOrder,
  level: BudgetLevel,
  rounds: number,
  base: Int32Array,
): ContextPass[] {
  const passes: ContextPass[] = [];
  for (let round = 0; round <= rounds; round++) {
    passes.push(contextPass(index, order, level, passes[round - 1] ?? null, base));
  }
  return passes;
}

function contextPass(
  index: GraphIndex,
  order: CallOrder,
  level: BudgetLevel,
  before: ContextPass | null,
  base: Int32Array,
): ContextPass {
  const { graph, firstSite, firstCaller, sitesTo, firstSet, setsOf } = index;
  const { functions, sites, sets } = graph;
  const { sequence, position } = order;
  const above = base.slice();
  const bestSite = new Int32Array(functions.count).fill(-1);
  const certainty = new Uint8Array(functions.count);
  const cut = new Uint8Array(functions.count);
  // The deepest site so far that calls a set, as typed and as assumed.
  const deepest = [1, 2].map(() => ({
    above: new Int32Array(sets.count).fill(-1),
    site: new Int32Array(sets.count).fill(-1),
  }));
  const all = before === null ? null : [1, 2].map((which) => callerMaxima(index, level, which, before.above));
  const levelOf = (which: number, site: number): number =>
    which === 1 ? typedSetAt(graph, level, site) : assumedSetAt(graph, level, site);

  for (let place = 0; place < functions.count; place++) {
    const f = sequence[place] as number;
    const consider = (bytes: number, site: number, sure: number, isCut: number): void => {
      if (bytes <= (above[f] as number)) return;
      above[f] = bytes;
      bestSite[f] = site;
      certainty[f] = sure;
      cut[f] = isCut;
    };
    for (let at = firstCaller[f] as number; at < (firstCaller[f + 1] as number); at++) {
      const site = sitesTo[at] as number;
      const caller = sites.caller[site] as number;
      const isAhead = (position[caller] as number) < place;
      const from = isAhead ? (above[caller] as number) : (before?.above[caller] ?? -1);
      if (from >= 0) consider(from + (sites.bytes[site] as number), site, 0, isAhead ? 0 : 1);
    }
    for (let at = firstSet[f] as number; at < (firstSet[f + 1] as number); at++) {
      const set = setsOf[at] as number;
      for (let which = 1; which <= 2; which++) {
        const far = deepest[which - 1] as { above: Int32Array; site: Int32Array };
        if ((far.above[set] as number) >= 0) consider(far.above[set] as number, far.site[set] as number, which, 0);
        const any = all?.[which - 1];
        if (any !== undefined && (any.above[set] as number) >= 0) {
          consider(any.above[set] as number, any.site[set] as number, which, 1);
        }
      }
    }
    if ((above[f] as number) < 0) continue;
    for (let site = firstSite[f] as number; site < (firstSite[f + 1] as number); site++) {
      for (let which = 1; which <= 2; which++) {
        const set = levelOf(which, site);
        if (set < 0) continue;
        const far = deepest[which - 1] as { above: Int32Array; site: Int32Array };
        const bytes = (above[f] as number) + (sites.bytes[site] as number);
        if (bytes <= (far.above[set] as number)) continue;
        far.above[set] = bytes;
        far.site[set] = site;
      }
    }
  }
  return { above, site: bestSite, certainty, cut };
}

function callerMaxima(
  index: GraphIndex,
  level: BudgetLevel,
  which: number,
  above: Int32Array,
): { above: Int32Array; site: Int32Array } {
  const { graph } = index;
  const { sites, sets } = graph;
  const maxima = { above: new Int32Array(sets.count).fill(-1), site: new Int32Array(sets.count).fill(-1) };
  for (let site = 0; site < sites.count; site++) {
    const set = which === 1 ? typedSetAt(graph, level, site) : assumedSetAt(graph, level, site);
    const from = above[sites.caller[site] as number] as number;
    if (set < 0 || from < 0) continue;
    const bytes = from + (sites.bytes[site] as number);
    if (bytes <= (maxima.above[set] as number)) continue;
    maxima.above[set] = bytes;
    maxima.site[set] = site;
  }
  return maxima;
}
