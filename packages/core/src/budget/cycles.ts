/** The cycles of a level, and what one round more along their cut edges takes. */
import type { BudgetCycle, CutEdge } from "./budget-document.ts";
import { LISTED_CUT_EDGES, LISTED_FUNCTIONS } from "./budget-document.ts";
import { CERTAINTIES } from "./call-graph.ts";
import type { FunctionNames } from "./function-names.ts";
import { ASSUMED, BARE, DIRECT, type LevelGraph, TYPED } from "./level-graph.ts";
import type { SolvedGraph, SolvedLevel } from "./solve.ts";

/**
 * Functions that cut edges lead back to and whose rounds are looked for: each takes a pass over the cycle, so fewer of a large one,
 * where the deepest functions come first.
 */
const MOST_TARGETS = 48;
const LEAST_TARGETS = 6;
const TARGETS_TIMES_FUNCTIONS = 300_000;

export interface LevelCycles {
  /** Place in `cycles` of each component; -1 where it is none. */
  readonly ofComponent: Int32Array;
  readonly cycles: readonly BudgetCycle[];
}

export function levelCycles(solved: SolvedGraph, level: SolvedLevel, names: FunctionNames): LevelCycles {
  const { components } = level;
  const ofComponent = new Int32Array(components.count).fill(-1);
  const found: { component: number; size: number }[] = [];
  for (let component = 0; component < components.count; component++) {
    const size = (components.first[component + 1] as number) - (components.first[component] as number);
    if (components.cyclic[component] === 1 && size > 0) found.push({ component, size });
  }
  found.sort((a, b) => b.size - a.size || a.component - b.component);
  const finder = new RoundFinder(solved, level, names);
  const cycles = found.map(({ component }, at) => {
    ofComponent[component] = at;
    return finder.cycle(component);
  });
  return { ofComponent, cycles };
}

/** A round along a cut edge: its bytes, and what it takes to tell it. */
interface Round {
  readonly bytes: number;
  /** The cut edge's certainty and site. */
  readonly kind: number;
  readonly site: number;
  /** From the function that the edge leads back to, to the one that it leads from. */
  readonly functions: readonly number[];
}

/**
 * Finds what one round along the cut edges of a cycle takes. Rounds that end in different functions are looked for side by side,
 * so that one look at an edge serves them all.
 */
class RoundFinder {
  readonly #solved: SolvedGraph;
  readonly #level: SolvedLevel;
  readonly #names: FunctionNames;
  readonly #edges: LevelGraph;
  /** Of the cycle that is looked at: place of each function among its functions, and row of each set as typed and as assumed. */
  readonly #place: Int32Array;
  readonly #rowOf: readonly [typed: Int32Array, assumed: Int32Array];
  readonly #firstPlace: Int32Array;
  readonly #endPlace: Int32Array;
  /** The components' functions as `components.functions` has them, but those of one outermost first. */
  readonly #functions: Int32Array;

  constructor(solved: SolvedGraph, level: SolvedLevel, names: FunctionNames) {
    const { functions, sets } = solved.graph;
    this.#solved = solved;
    this.#level = level;
    this.#names = names;
    this.#edges = solved.index.at(level.level);
    this.#place = new Int32Array(functions.count);
    this.#rowOf = [new Int32Array(sets.count), new Int32Array(sets.count)];
    this.#firstPlace = new Int32Array(sets.count);
    this.#endPlace = new Int32Array(sets.count);
    this.#functions = new Int32Array(functions.count);
    const next = level.components.first.slice();
    for (let at = 0; at < functions.count; at++) {
      const f = solved.order.sequence[at]!;
      this.#functions[next[level.components.of[f]!]!++] = f;
    }
  }

  cycle(component: number): BudgetCycle {
    const { components, noFunctionTwice, passes } = this.#level;
    const functions = this.#functions.subarray(components.first[component], components.first[component + 1]);
    for (let at = 0; at < functions.length; at++) this.#place[functions[at]!] = at;
    const { count, targets } = this.#cutEdges(component, functions);
    const { depth } = passes[0]!;
    const wanted = Math.max(
      LEAST_TARGETS,
      Math.min(MOST_TARGETS, Math.floor(TARGETS_TIMES_FUNCTIONS / functions.length)),
    );
    const cutEdges = this.#rounds(component, functions, deepest(targets, depth, wanted))
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, LISTED_CUT_EDGES)
      .map((round) => this.#described(round));
    return {
      level: this.#level.level,
      functionCount: functions.length,
      functions: Array.from(functions.subarray(0, LISTED_FUNCTIONS), (f) => this.#names.ids[f]!),
      cutEdgeCount: count,
      cutEdges,
      roundBytes: cutEdges[0]?.roundBytes ?? 0,
      noFunctionTwiceBytes: noFunctionTwice.inside[component]!,
    };
  }

  /** How many edges the order cuts within the component, and the functions that these lead back to. */
  #cutEdges(component: number, functions: Int32Array): { count: number; targets: number[] } {
    const { graph, index } = this.#solved;
    const { sites } = graph;
    const { typedSet, assumedSet } = this.#edges;
    const { of } = this.#level.components;
    const isTarget = new Uint8Array(functions.length);
    const targets: number[] = [];
    const leadBackTo = (place: number): void => {
      if (isTarget[place] === 1) return;
      isTarget[place] = 1;
      targets.push(functions[place]!);
    };
    const members = this.#membersIn(component, functions);
    // The last caller of each set looks back over most of its members.
    const latest = new Map<number, number>();
    let count = 0;
    const cutAt = (place: number): void => {
      const f = functions[place]!;
      for (let site = index.firstSite[f]!; site < index.firstSite[f + 1]!; site++) {
        const callee = sites.callee[site]!;
        if (callee >= 0 && of[callee] === component && this.#place[callee]! <= place) {
          count++;
          leadBackTo(this.#place[callee]!);
        }
        // The typed callees are among the assumed ones: an edge is counted once.
        const set = assumedSet[site]! >= 0 ? assumedSet[site]! : typedSet[site]!;
        if (set < 0 || of[graph.functions.count + set] !== component) continue;
        count += countUpTo(members, this.#firstPlace[set]!, this.#endPlace[set]!, place);
        latest.set(set, place);
      }
    };
    for (let place = 0; place < functions.length; place++) cutAt(place);
    for (const [set, last] of latest) {
      for (let at = this.#firstPlace[set]!; at < this.#endPlace[set]! && members[at]! <= last; at++) {
        leadBackTo(members[at]!);
      }
    }
    return { count, targets };
  }

  /**
   * Places of the members that sets of the component have in it, ascending: those of set s from `firstPlace[s]` up to
   * `endPlace[s]`.
   */
  #membersIn(component: number, functions: Int32Array): Int32Array {
    const { firstSet, setsOf } = this.#edges;
    const { of } = this.#level.components;
    const functionCount = this.#solved.graph.functions.count;
    const sets: number[] = [];
    const ends = this.#endPlace;
    const each = (visit: (set: number, place: number) => void): void => {
      for (let place = 0; place < functions.length; place++) {
        const f = functions[place]!;
        for (let at = firstSet[f]!; at < firstSet[f + 1]!; at++) {
          if (of[functionCount + setsOf[at]!] === component) visit(setsOf[at]!, place);
        }
      }
    };
    each((set) => {
      if (ends[set] === 0) sets.push(set);
      ends[set]!++;
    });
    let count = 0;
    for (const set of sets) {
      this.#firstPlace[set] = count;
      count += ends[set]!;
      ends[set] = this.#firstPlace[set]!;
    }
    const places = new Int32Array(count);
    each((set, place) => {
      places[ends[set]!++] = place;
    });
    return places;
  }

  /** Of each kind of edge back to each of `targets`, the one that ends the heaviest round. */
  #rounds(component: number, functions: Int32Array, targets: readonly number[]): Round[] {
    const { index, graph } = this.#solved;
    const { sites } = graph;
    const { firstCaller, sitesTo } = index;
    const { first, kind, to, bytes, site: siteOf, firstSet, setsOf } = this.#edges;
    const { of } = this.#level.components;
    // One lane for each target. Of each function: most bytes between the CFAs of the target and the function, -1 where the target
    // does not lead there, and the site that it comes by; of each set as well, as its callers so far have it.
    const lanes = targets.length;
    const depth = new Int32Array(functions.length * lanes).fill(-1);
    const from = new Int32Array(functions.length * lanes);
    const rows = this.#numberSets(component, functions);
    const [typedRow, assumedRow] = this.#rowOf;
    const setDepth = new Int32Array(rows * lanes).fill(-1);
    const setFrom = new Int32Array(rows * lanes);
    const laneOf = new Int32Array(functions.length).fill(-1);
    const lanesOf = new Map<number, number[]>();
    targets.forEach((target, lane) => {
      laneOf[this.#place[target]!] = lane;
      depth[this.#place[target]! * lanes + lane] = 0;
      for (let at = firstSet[target]!; at < firstSet[target + 1]!; at++) {
        const known = lanesOf.get(setsOf[at]!);
        if (known === undefined) lanesOf.set(setsOf[at]!, [lane]);
        else known.push(lane);
      }
    });
    const closed = new Int32Array(3 * lanes).fill(-1);
    const closedBy = new Int32Array(3 * lanes);
    const close = (lane: number, row: number, at: number): void => {
      const above = depth[row + lane]!;
      const slot = 3 * lane + kind[at]!;
      if (above < 0 || above + bytes[at]! <= closed[slot]!) return;
      closed[slot] = above + bytes[at]!;
      closedBy[slot] = siteOf[at]!;
    };

    for (let place = 0; place < functions.length; place++) {
      const f = functions[place]!;
      const row = place * lanes;
      for (let at = firstCaller[f]!; at < firstCaller[f + 1]!; at++) {
        const site = sitesTo[at]!;
        const caller = sites.caller[site]!;
        if (of[caller] !== component || this.#place[caller]! >= place) continue;
        reach(depth, from, row, depth, null, this.#place[caller]! * lanes, sites.bytes[site]!, site, lanes);
      }
      for (let at = firstSet[f]!; at < firstSet[f + 1]!; at++) {
        const set = setsOf[at]!;
        if (of[graph.functions.count + set] !== component) continue;
        const asTyped = typedRow[set]!;
        const asAssumed = assumedRow[set]!;
        if (asTyped >= 0) reach(depth, from, row, setDepth, setFrom, asTyped * lanes, 0, 0, lanes);
        if (asAssumed >= 0) reach(depth, from, row, setDepth, setFrom, asAssumed * lanes, 0, 0, lanes);
      }
      for (let at = first[f]!; at < first[f + 1]!; at++) {
        const target = to[at]!;
        if (kind[at] === DIRECT) {
          if (of[target] !== component) continue;
          const lane = laneOf[this.#place[target]!]!;
          if (lane >= 0) close(lane, row, at);
        } else if (kind[at] !== BARE && of[graph.functions.count + target] === component) {
          for (const lane of lanesOf.get(target) ?? []) close(lane, row, at);
          const setRow = (kind[at] === TYPED ? typedRow : assumedRow)[target]! * lanes;
          reach(setDepth, setFrom, setRow, depth, null, row, bytes[at]!, siteOf[at]!, lanes);
        }
      }
    }

    const found: Round[] = [];
    for (let slot = 0; slot < closed.length; slot++) {
      if (closed[slot]! < 0) continue;
      const lane = Math.floor(slot / 3);
      const round: number[] = [];
      for (let f = sites.caller[closedBy[slot]!]!; ; f = sites.caller[from[this.#place[f]! * lanes + lane]!]!) {
        round.push(f);
        if (f === targets[lane]) break;
      }
      found.push({ bytes: closed[slot]!, kind: slot % 3, site: closedBy[slot]!, functions: round.reverse() });
    }
    return found;
  }

  /** Gives a row to each set that the cycle's functions call within the cycle, as typed and as assumed. */
  #numberSets(component: number, functions: Int32Array): number {
    const { first, kind, to } = this.#edges;
    const { of } = this.#level.components;
    const functionCount = this.#solved.graph.functions.count;
    let rows = 0;
    const forget = (f: number): void => {
      for (let at = first[f]!; at < first[f + 1]!; at++) {
        if (kind[at] !== TYPED && kind[at] !== ASSUMED) continue;
        this.#rowOf[0][to[at]!] = this.#rowOf[1][to[at]!] = -1;
      }
    };
    const number = (f: number): void => {
      for (let at = first[f]!; at < first[f + 1]!; at++) {
        if (kind[at] !== TYPED && kind[at] !== ASSUMED) continue;
        const set = to[at]!;
        if (of[functionCount + set] !== component) continue;
        const rowOf = this.#rowOf[kind[at] === TYPED ? 0 : 1];
        if (rowOf[set]! < 0) rowOf[set] = rows++;
      }
    };
    for (let at = 0; at < functions.length; at++) forget(functions[at]!);
    for (let at = 0; at < functions.length; at++) number(functions[at]!);
    return rows;
  }

  #described({ bytes, kind, site, functions }: Round): CutEdge {
    const { sites, sets, functions: all } = this.#solved.graph;
    const { typedSet, assumedSet } = this.#edges;
    const caller = functions[functions.length - 1]!;
    const set = kind === TYPED ? typedSet[site]! : kind === ASSUMED ? assumedSet[site]! : -1;
    return {
      caller: this.#names.ids[caller]!,
      callee: this.#names.ids[functions[0]!]!,
      offset: sites.address[site]! - all.start[caller]!,
      certainty: CERTAINTIES[kind]!,
      slot: set < 0 ? null : sets.label[set]!,
      roundBytes: bytes,
      round: functions.map((f) => this.#names.ids[f]!),
    };
  }
}

/**
 * In each lane: where the source is reached, and the target deeper by it than before, the target is reached by it.
 * @param by the sites that the source was reached by, which go on to the target; null where `site` leads from one to the other
 */
function reach(
  depth: Int32Array,
  from: Int32Array,
  row: number,
  source: Int32Array,
  by: Int32Array | null,
  sourceRow: number,
  bytes: number,
  site: number,
  lanes: number,
): void {
  for (let lane = 0; lane < lanes; lane++) {
    const above = source[sourceRow + lane]!;
    if (above < 0 || above + bytes <= depth[row + lane]!) continue;
    depth[row + lane] = above + bytes;
    from[row + lane] = by === null ? site : by[sourceRow + lane]!;
  }
}

/** How many of the ascending numbers from `begin` up to `end` are at most `limit`. */
function countUpTo(ascending: Int32Array, begin: number, end: number, limit: number): number {
  let low = begin;
  let high = end;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low - begin;
}

/** The first `count` of the functions that are deepest, those as deep in the order in which they are. */
function deepest(functions: readonly number[], depth: Int32Array, count: number): number[] {
  const chosen: number[] = [];
  for (const f of functions) {
    if (chosen.length === count && depth[f]! <= depth[chosen[count - 1]!]!) continue;
    let at = Math.min(chosen.length, count - 1);
    for (; at > 0 && depth[chosen[at - 1]!]! < depth[f]!; at--) chosen[at] = chosen[at - 1]!;
    chosen[at] = f;
  }
  return chosen;
}
