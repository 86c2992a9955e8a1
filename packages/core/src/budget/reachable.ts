/** How much of the graph can be reached from a function, and how much of that is not known. */

import { DEPTH_KINDS } from "./call-graph.ts";
import type { Components } from "./components.ts";
import type { GraphIndex } from "./graph-index.ts";
import { BARE, DIRECT } from "./level-graph.ts";
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

/** Counts by component: functions, unresolved calls, at-least and unknown depths. */
const COUNTS = 4;

class Walker {
  readonly #components: Components;
  readonly #edges: { first: Int32Array; to: Int32Array };
  readonly #counts: Int32Array;
  readonly #seen: Int32Array;
  #stamp = 0;
  /** Of the component with most functions: what it reaches (1), who reaches it (1), and the counts of what it reaches. */
  readonly #below: Uint8Array;
  readonly #above: Uint8Array;
  readonly #hubCounts: number[];

  constructor(index: GraphIndex, level: BudgetLevel, components: Components) {
    this.#components = components;
    this.#edges = componentEdges(index, level, components);
    this.#counts = componentCounts(index, level, components);
    this.#seen = new Int32Array(components.count);
    let hub = 0;
    for (let component = 0; component < components.count; component++) {
      if (sizeOf(components, component) > sizeOf(components, hub)) hub = component;
    }
    this.#below = new Uint8Array(components.count);
    this.#above = new Uint8Array(components.count);
    this.#hubCounts = new Array(COUNTS).fill(0);
    if (components.count === 0) return;
    this.#walk(hub, (component) => {
      this.#below[component] = 1;
      this.#add(this.#hubCounts, component);
      return true;
    });
    this.#above[hub] = 1;
    // Callees have lower numbers, so one pass upwards finds every component that leads to the hub.
    for (let component = hub + 1; component < components.count; component++) {
      const end = this.#edges.first[component + 1] as number;
      for (let at = this.#edges.first[component] as number; at < end; at++) {
        if (this.#above[this.#edges.to[at] as number] === 1) {
          this.#above[component] = 1;
          break;
        }
      }
    }
  }

  from(start: number): Reachable {
    const component = this.#components.of[start] as number;
    const reachesHub = this.#above[component] === 1;
    const counts = reachesHub ? this.#hubCounts.slice() : (new Array(COUNTS).fill(0) as number[]);
    this.#walk(component, (at) => {
      if (reachesHub && this.#below[at] === 1) return false;
      this.#add(counts, at);
      return true;
    });
    const [functions, unresolvedCalls, atLeastDepths, unknownDepths] = counts as [number, number, number, number];
    return { functions, unresolvedCalls, atLeastDepths, unknownDepths };
  }

  #add(counts: number[], component: number): void {
    for (let kind = 0; kind < COUNTS; kind++) {
      counts[kind] = (counts[kind] as number) + (this.#counts[COUNTS * component + kind] as number);
    }
  }

  #walk(start: number, visit: (component: number) => boolean): void {
    const stamp = ++this.#stamp;
    const queue = [start];
    this.#seen[start] = stamp;
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (!visit(next)) continue;
      const end = this.#edges.first[next + 1] as number;
      for (let at = this.#edges.first[next] as number; at < end; at++) {
        const to = this.#edges.to[at] as number;
        if (this.#seen[to] === stamp) continue;
        this.#seen[to] = stamp;
        queue.push(to);
      }
    }
  }
}

function sizeOf(components: Components, component: number): number {
  return (components.first[component + 1] as number) - (components.first[component] as number);
}

function componentCounts(index: GraphIndex, level: BudgetLevel, components: Components): Int32Array {
  const { functions, sites } = index.graph;
  const counts = new Int32Array(COUNTS * components.count);
  const add = (f: number, kind: number): void => {
    const at = COUNTS * (components.of[f] as number) + kind;
    counts[at] = (counts[at] as number) + 1;
  };
  for (let f = 0; f < functions.count; f++) {
    add(f, 0);
    if (functions.ownKind[f] === AT_LEAST) add(f, 2);
    if (functions.ownKind[f] === UNKNOWN) add(f, 3);
  }
  for (let site = 0; site < sites.count; site++) {
    const f = sites.caller[site] as number;
    if (isUnresolved(index.graph, level, site)) add(f, 1);
    if (sites.depthKind[site] === AT_LEAST) add(f, 2);
    if (sites.depthKind[site] === UNKNOWN) add(f, 3);
  }
  return counts;
}

/** Edges between different components, by the one they leave. An edge may be there more than once. */
function componentEdges(
  index: GraphIndex,
  level: BudgetLevel,
  components: Components,
): { first: Int32Array; to: Int32Array } {
  const { functions, sets } = index.graph;
  const { first: firstEdge, kind, to: target, followed } = index.at(level);
  const { of, count } = components;
  const first = new Int32Array(count + 1);
  let to = new Int32Array(0);
  const next = new Int32Array(count);
  // Counted in the first round, filled in in the second.
  for (let round = 0; round < 2; round++) {
    for (let f = 0; f < functions.count; f++) {
      const from = of[f]!;
      for (let at = firstEdge[f]!; at < firstEdge[f + 1]!; at++) {
        if (kind[at] === BARE) continue;
        const other = of[kind[at] === DIRECT ? target[at]! : functions.count + target[at]!]!;
        if (other === from) continue;
        if (round === 1) to[next[from]!] = other;
        next[from] = next[from]! + 1;
      }
    }
    for (let set = 0; set < sets.count; set++) {
      if (followed[set] === 0) continue;
      const from = of[functions.count + set]!;
      for (let at = sets.start[set]!; at < sets.start[set + 1]!; at++) {
        const other = of[sets.members[at]!]!;
        if (other === from) continue;
        if (round === 1) to[next[from]!] = other;
        next[from] = next[from]! + 1;
      }
    }
    if (round === 1) break;
    for (let at = 0; at < count; at++) first[at + 1] = first[at]! + next[at]!;
    next.set(first.subarray(0, count));
    to = new Int32Array(first[count]!);
  }
  return { first, to };
}
