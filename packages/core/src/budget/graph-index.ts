/** Ways through a call graph's columns that every algorithm needs: a function's sites, its sets, its callers. */
import type { CallGraph } from "./call-graph.ts";
import { type LevelGraph, levelGraph } from "./level-graph.ts";
import type { BudgetLevel } from "./levels.ts";
import { type Memberships, membershipsIn } from "./memberships.ts";

export interface GraphIndex {
  readonly graph: CallGraph;
  /** Functions' sites: `firstSite[f]` up to `firstSite[f + 1]`. */
  readonly firstSite: Int32Array;
  /** Sets that a function is a member of: `setsOf[firstSet[f]]` up to `firstSet[f + 1]`. */
  readonly firstSet: Int32Array;
  readonly setsOf: Int32Array;
  /** Direct sites that lead to a function: `sitesTo[firstCaller[f]]` up to `firstCaller[f + 1]`. */
  readonly firstCaller: Int32Array;
  readonly sitesTo: Int32Array;
  /** What a level follows of it; made when it is first asked for. */
  at(level: BudgetLevel): LevelGraph;
}

/** Turns "item i has key k" pairs into lists by key; the order of items is kept. Items of a negative key are in none. */
export function listsByKey(
  keys: Int32Array,
  itemCount: number,
  keyCount: number,
): { first: Int32Array; items: Int32Array } {
  const first = new Int32Array(keyCount + 1);
  for (let item = 0; item < itemCount; item++) {
    const key = keys[item]!;
    if (key >= 0) first[key + 1] = first[key + 1]! + 1;
  }
  for (let key = 0; key < keyCount; key++) first[key + 1] = first[key + 1]! + first[key]!;
  const items = new Int32Array(first[keyCount]!);
  const next = first.slice(0, keyCount);
  for (let item = 0; item < itemCount; item++) {
    const key = keys[item]!;
    if (key < 0) continue;
    const place = next[key]!;
    items[place] = item;
    next[key] = place + 1;
  }
  return { first, items };
}

/** Each part is made when it is first asked for. */
export function indexGraph(graph: CallGraph): GraphIndex {
  const { functions, sites, sets } = graph;
  let byMember: Memberships | null = null;
  let byCallee: ReturnType<typeof listsByKey> | null = null;
  const memberships = (): Memberships => {
    byMember ??= membershipsIn(sets, functions.count, null);
    return byMember;
  };
  const callers = (): ReturnType<typeof listsByKey> => {
    byCallee ??= listsByKey(sites.callee, sites.count, functions.count);
    return byCallee;
  };
  const known = new Map<BudgetLevel, LevelGraph>();
  return {
    graph,
    firstSite: firstSites(graph),
    get firstSet() {
      return memberships().firstSet;
    },
    get setsOf() {
      return memberships().setsOf;
    },
    get firstCaller() {
      return callers().first;
    },
    get sitesTo() {
      return callers().items;
    },
    at(level) {
      const all = level === "prototype-matched" ? null : this.at("prototype-matched");
      const own = known.get(level) ?? levelGraph(graph, level, all);
      known.set(level, own);
      return own;
    },
  };
}

/** Functions' sites: those of f from `first[f]` up to `first[f + 1]`. */
export function firstSites({ functions, sites }: CallGraph): Int32Array {
  const first = new Int32Array(functions.count + 1);
  for (let site = 0; site < sites.count; site++) first[sites.caller[site]! + 1] = first[sites.caller[site]! + 1]! + 1;
  for (let f = 0; f < functions.count; f++) first[f + 1] = first[f + 1]! + first[f]!;
  return first;
}
