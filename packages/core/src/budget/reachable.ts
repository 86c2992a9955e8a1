/** How much of the graph can be reached from a function, and how much of that is not known. */

import { DEPTH_KINDS } from "./call-graph.ts";
import type { Components } from "./components.ts";
import type { GraphIndex } from "./graph-index.ts";
import { BARE, DIRECT, type LevelGraph } from "./level-graph.ts";
import { isUnresolved } from "./level-sets.ts";
import type { BudgetLevel } from "./levels.ts";

export interface Reachable {
  readonly functions: number;
  readonly unresolvedCalls: number;
  readonly atLeastDepths: number;
  readonly unknownDepths: number;
}

const AT_LEAST = DEPTH_KINDS.indexOf("at-least");
const UNKNOWN = DEPTH_KINDS.indexOf("unknown");

/**
 * Counts what can be reached from each of `starts`. In a kernel most starts reach the one large cycle and with it the same
 * thousands of functions: what it reaches is counted once, and for each start only what lies outside of that is walked.
 */
export function countReachable(
  index: GraphIndex,
  level: BudgetLevel,
  components: Components,
  starts: readonly number[],
): Reachable[] {
  const walker = new Walker(index, level, components);
  return starts.map((start) => walker.from(start));
}

/** Functions to which calls lead from one (1), itself among them. */
export function functionsFrom(index: GraphIndex, level: BudgetLevel, start: number): Uint8Array {
  const { graph, firstSite } = index;
  const { typedSet, assumedSet } = index.at(level);
  const { functions, sites, sets } = graph;
  const reached = new Uint8Array(functions.count);
  const followed = new Uint8Array(sets.count);
  const queue = [start];
  const reach = (f: number): void => {
    if (reached[f] === 1) return;
    reached[f] = 1;
    queue.push(f);
  };
  reached[start] = 1;
  for (let f = queue.pop(); f !== undefined; f = queue.pop()) {
    for (let site = firstSite[f] as number; site < (firstSite[f + 1] as number); site++) {
      if ((sites.callee[site] as number) >= 0) reach(sites.callee[site] as number);
      for (const set of [typedSet[site]!, assumedSet[site]!]) {
        if (set < 0 || followed[set] === 1) continue;
        followed[set] = 1;
        for (const member of sets.members.subarray(sets.start[set], sets.start[set + 1])) reach(member);
      }
    }
  }
  return reached;
}

const COUNTS = 4;

class Walker {
  readonly #index: GraphIndex;
  readonly #edges: LevelGraph;
  readonly #of: Int32Array;
  /** Of each function: itself, its unresolved calls, at-least and unknown depths. */
  readonly #counts: Int32Array;
  /** The walk that came to a node last: functions, and after them sets. */
  readonly #seen: Int32Array;
  #stamp = 0;
  readonly #queue: number[] = [];
  /** The component with most functions: what it reaches (1), and the counts of that. */
  readonly #hub: number;
  readonly #below: Uint8Array;
  readonly #hubCounts: readonly number[];

  constructor(index: GraphIndex, level: BudgetLevel, components: Components) {
    const { functions, sets } = index.graph;
    this.#index = index;
    this.#edges = index.at(level);
    this.#of = components.of;
    this.#counts = functionCounts(index, level);
    this.#seen = new Int32Array(functions.count + sets.count);
    this.#below = new Uint8Array(functions.count + sets.count);
    this.#hub = largest(components);
    const counts = new Array<number>(COUNTS).fill(0);
    if (functions.count > 0) {
      this.#begin(components.functions[components.first[this.#hub]!]!);
      this.#walk(counts, false);
      for (let node = 0; node < this.#seen.length; node++) if (this.#seen[node] === this.#stamp) this.#below[node] = 1;
    }
    this.#hubCounts = counts;
  }

  from(start: number): Reachable {
    let counts = new Array<number>(COUNTS).fill(0);
    this.#begin(start);
    // Once around what the hub reaches. If that does not lead to the hub itself, the rest is looked at as well.
    const border = this.#walk(counts, true);
    if (border.some((node) => this.#of[node] === this.#hub)) {
      counts = counts.map((count, kind) => count + this.#hubCounts[kind]!);
    } else {
      this.#queue.push(...border);
      this.#walk(counts, false);
    }
    const [functions, unresolvedCalls, atLeastDepths, unknownDepths] = counts as [number, number, number, number];
    return { functions, unresolvedCalls, atLeastDepths, unknownDepths };
  }

  #begin(start: number): void {
    this.#seen[start] = ++this.#stamp;
    this.#queue.push(start);
  }

  /**
   * Counts what the queue leads to.
   * @param around whether to stop at what the hub reaches
   * @returns where it stopped
   */
  #walk(counts: number[], around: boolean): number[] {
    const { functions, sets } = this.#index.graph;
    const { first, kind, to } = this.#edges;
    const border: number[] = [];
    for (let node = this.#queue.pop(); node !== undefined; node = this.#queue.pop()) {
      if (around && this.#below[node] === 1) {
        border.push(node);
        continue;
      }
      if (node >= functions.count) {
        const set = node - functions.count;
        for (let at = sets.start[set]!; at < sets.start[set + 1]!; at++) this.#reach(sets.members[at]!);
        continue;
      }
      for (let of = 0; of < COUNTS; of++) counts[of] = counts[of]! + this.#counts[COUNTS * node + of]!;
      for (let at = first[node]!; at < first[node + 1]!; at++) {
        if (kind[at] !== BARE) this.#reach(kind[at] === DIRECT ? to[at]! : functions.count + to[at]!);
      }
    }
    return border;
  }

  #reach(node: number): void {
    if (this.#seen[node] === this.#stamp) return;
    this.#seen[node] = this.#stamp;
    this.#queue.push(node);
  }
}

/** The component with most functions, the first of those. */
function largest({ count, first }: Components): number {
  let hub = 0;
  for (let at = 0; at < count; at++) if (first[at + 1]! - first[at]! > first[hub + 1]! - first[hub]!) hub = at;
  return hub;
}

function functionCounts({ graph }: GraphIndex, level: BudgetLevel): Int32Array {
  const { functions, sites } = graph;
  const counts = new Int32Array(COUNTS * functions.count);
  for (let f = 0; f < functions.count; f++) {
    counts[COUNTS * f] = 1;
    if (functions.ownKind[f] === AT_LEAST) counts[COUNTS * f + 2] = 1;
    if (functions.ownKind[f] === UNKNOWN) counts[COUNTS * f + 3] = 1;
  }
  for (let site = 0; site < sites.count; site++) {
    const at = COUNTS * sites.caller[site]!;
    if (sites.callee[site]! < 0 && isUnresolved(graph, level, site)) counts[at + 1]!++;
    if (sites.depthKind[site] === AT_LEAST) counts[at + 2]!++;
    if (sites.depthKind[site] === UNKNOWN) counts[at + 3]!++;
  }
  return counts;
}
