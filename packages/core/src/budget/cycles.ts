/** The cycles of a level, and what one round more along their cut edges takes. */
import type { BudgetCycle, CutEdge } from "./budget-document.ts";
import { LISTED_CUT_EDGES, LISTED_FUNCTIONS } from "./budget-document.ts";
import { CERTAINTIES, type EdgeCertainty } from "./call-graph.ts";
import type { FunctionNames } from "./function-names.ts";
import { assumedSetAt, typedSetAt } from "./graph-index.ts";
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

class RoundFinder {
  readonly #solved: SolvedGraph;
  readonly #level: SolvedLevel;
  readonly #names: FunctionNames;
  /** Bytes from the CFA of the round's first function, and how it came; valid where the stamp is the round's. */
  readonly #bytes: Int32Array;
  readonly #from: Int32Array;
  readonly #stamp: Int32Array;
  readonly #setBytes: [Int32Array, Int32Array];
  readonly #setFrom: [Int32Array, Int32Array];
  readonly #setStamp: [Int32Array, Int32Array];
  /** The typed and the assumed set of each site, at the level. */
  readonly #sets: [Int32Array, Int32Array];
  /** The round's stamp for the sets that its target is in. */
  readonly #ofTarget: Int32Array;
  #round = 0;

  constructor(solved: SolvedGraph, level: SolvedLevel, names: FunctionNames) {
    this.#solved = solved;
    this.#level = level;
    this.#names = names;
    const { functions, sets, sites } = solved.graph;
    const setsAt = (at: typeof typedSetAt): Int32Array =>
      Int32Array.from({ length: sites.count }, (_, site) => at(solved.graph, level.level, site));
    this.#sets = [setsAt(typedSetAt), setsAt(assumedSetAt)];
    this.#ofTarget = new Int32Array(sets.count);
    this.#bytes = new Int32Array(functions.count);
    this.#from = new Int32Array(functions.count);
    this.#stamp = new Int32Array(functions.count);
    this.#setBytes = [new Int32Array(sets.count), new Int32Array(sets.count)];
    this.#setFrom = [new Int32Array(sets.count), new Int32Array(sets.count)];
    this.#setStamp = [new Int32Array(sets.count), new Int32Array(sets.count)];
  }

  cycle(component: number): BudgetCycle {
    const { components, noFunctionTwice, passes } = this.#level;
    const { position } = this.#solved.order;
    const functions = [
      ...components.functions.subarray(components.first[component], components.first[component + 1]),
    ].sort((a, b) => (position[a] as number) - (position[b] as number));
    const { count, targets } = this.#cutEdges(component, functions);
    const depth = (passes[0] as SolvedLevel["passes"][number]).depth;
    const wanted = Math.max(
      LEAST_TARGETS,
      Math.min(MOST_TARGETS, Math.floor(TARGETS_TIMES_FUNCTIONS / functions.length)),
    );
    const chosen = targets.sort((a, b) => (depth[b] as number) - (depth[a] as number)).slice(0, wanted);
    const cutEdges = chosen
      .flatMap((target) => this.#rounds(component, functions, target))
      .sort((a, b) => b.roundBytes - a.roundBytes)
      .slice(0, LISTED_CUT_EDGES);
    return {
      level: this.#level.level,
      functionCount: functions.length,
      functions: functions.slice(0, LISTED_FUNCTIONS).map((f) => this.#names.ids[f] as string),
      cutEdgeCount: count,
      cutEdges,
      roundBytes: cutEdges[0]?.roundBytes ?? 0,
      noFunctionTwiceBytes: noFunctionTwice.inside[component] as number,
    };
  }

  /** How many edges the order cuts within the component, and the functions that these lead back to. */
  #cutEdges(component: number, functions: readonly number[]): { count: number; targets: number[] } {
    const { graph, index, order } = this.#solved;
    const { sites, sets } = graph;
    const of = this.#level.components.of;
    const targets = new Set<number>();
    let count = 0;
    // Places of each set's members in the component, in order, and the most that any caller looks back over.
    const places = new Map<number, number[]>();
    const placesOf = (set: number): number[] => {
      let list = places.get(set);
      if (list === undefined) {
        list = [];
        for (let at = sets.start[set] as number; at < (sets.start[set + 1] as number); at++) {
          const member = sets.members[at] as number;
          if (of[member] === component) list.push(order.position[member] as number);
        }
        list.sort((a, b) => a - b);
        places.set(set, list);
      }
      return list;
    };
    const latest = new Map<number, number>();
    for (const f of functions) {
      const place = order.position[f] as number;
      for (let site = index.firstSite[f] as number; site < (index.firstSite[f + 1] as number); site++) {
        const callee = sites.callee[site] as number;
        if (callee >= 0 && of[callee] === component && (order.position[callee] as number) <= place) {
          count++;
          targets.add(callee);
        }
        const typed = typedSetAt(graph, this.#level.level, site);
        const assumed = assumedSetAt(graph, this.#level.level, site);
        // The typed callees are among the assumed ones: an edge is counted once.
        const set = assumed >= 0 ? assumed : typed;
        if (set < 0) continue;
        count += countUpTo(placesOf(set), place);
        latest.set(set, Math.max(latest.get(set) ?? -1, place));
      }
    }
    for (const [set, place] of latest) {
      for (const at of placesOf(set)) {
        if (at > place) break;
        targets.add(order.sequence[at] as number);
      }
    }
    return { count, targets: [...targets] };
  }

  /** The heaviest round that ends by each edge back to `target`: of each kind of edge the heaviest. */
  #rounds(component: number, functions: readonly number[], target: number): CutEdge[] {
    const { graph, index, order } = this.#solved;
    const { sites } = graph;
    const { components } = this.#level;
    const [typedStamp, assumedStamp] = this.#setStamp;
    const stamp = ++this.#round;
    for (let at = index.firstSet[target] as number; at < (index.firstSet[target + 1] as number); at++) {
      this.#ofTarget[index.setsOf[at] as number] = stamp;
    }
    this.#bytes[target] = 0;
    this.#from[target] = -1;
    this.#stamp[target] = stamp;
    const best: ({ site: number; bytes: number } | null)[] = [null, null, null];
    const close = (which: number, site: number, bytes: number): void => {
      if (bytes > (best[which]?.bytes ?? -1)) best[which] = { site, bytes };
    };
    const start = functions.indexOf(target);
    for (let at = start; at < functions.length; at++) {
      const f = functions[at] as number;
      const place = order.position[f] as number;
      const reach = (bytes: number, site: number): void => {
        if (f === target || (this.#stamp[f] === stamp && bytes <= (this.#bytes[f] as number))) return;
        this.#stamp[f] = stamp;
        this.#bytes[f] = bytes;
        this.#from[f] = site;
      };
      for (let to = index.firstCaller[f] as number; to < (index.firstCaller[f + 1] as number); to++) {
        const site = index.sitesTo[to] as number;
        const caller = sites.caller[site] as number;
        if (this.#stamp[caller] === stamp && (order.position[caller] as number) < place) {
          reach((this.#bytes[caller] as number) + (sites.bytes[site] as number), site);
        }
      }
      for (let member = index.firstSet[f] as number; member < (index.firstSet[f + 1] as number); member++) {
        const set = index.setsOf[member] as number;
        if (typedStamp[set] === stamp) reach(this.#setBytes[0][set] as number, this.#setFrom[0][set] as number);
        if (assumedStamp[set] === stamp) reach(this.#setBytes[1][set] as number, this.#setFrom[1][set] as number);
      }
      if (this.#stamp[f] !== stamp) continue;
      for (let site = index.firstSite[f] as number; site < (index.firstSite[f + 1] as number); site++) {
        const bytes = (this.#bytes[f] as number) + (sites.bytes[site] as number);
        if (sites.callee[site] === target) close(0, site, bytes);
        for (let which = 0 as 0 | 1; which < 2; which++) {
          const set = this.#sets[which][site] as number;
          if (set < 0 || components.of[graph.functions.count + set] !== component) continue;
          if (this.#ofTarget[set] === stamp) close(which + 1, site, bytes);
          if (this.#setStamp[which][set] === stamp && bytes <= (this.#setBytes[which][set] as number)) continue;
          this.#setStamp[which][set] = stamp;
          this.#setBytes[which][set] = bytes;
          this.#setFrom[which][set] = site;
        }
      }
    }
    return best.flatMap((edge, which) => {
      if (edge === null) return [];
      const caller = sites.caller[edge.site] as number;
      const round: number[] = [];
      for (let f = caller; ; f = sites.caller[this.#from[f] as number] as number) {
        round.push(f);
        if (f === target) break;
      }
      const set = which === 1 ? sites.typedSet[edge.site] : which === 2 ? sites.assumedSet[edge.site] : -1;
      return [
        {
          caller: this.#names.ids[caller] as string,
          callee: this.#names.ids[target] as string,
          offset: (sites.address[edge.site] as number) - (graph.functions.start[caller] as number),
          certainty: CERTAINTIES[which] as EdgeCertainty,
          slot: set === undefined || set < 0 ? null : (graph.sets.label[set] as string),
          roundBytes: edge.bytes,
          round: round.reverse().map((f) => this.#names.ids[f] as string),
        },
      ];
    });
  }
}

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
