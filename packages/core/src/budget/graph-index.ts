/** Ways through a call graph's columns that every algorithm needs: a function's sites, its sets, its callers. */
import type { CallGraph } from "./call-graph.ts";
import type { BudgetLevel } from "./levels.ts";

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
}

/** Turns "item i has key k" pairs into lists by key; the order of items is kept. */
function listsByKey(keys: Int32Array, keyCount: number): { first: Int32Array; items: Int32Array } {
  const first = new Int32Array(keyCount + 1);
  for (const key of keys) if (key >= 0) first[key + 1] = (first[key + 1] as number) + 1;
  for (let key = 0; key < keyCount; key++) first[key + 1] = (first[key + 1] as number) + (first[key] as number);
  const items = new Int32Array(first[keyCount] as number);
  const next = first.slice(0, keyCount);
  for (let item = 0; item < keys.length; item++) {
    const key = keys[item] as number;
    if (key < 0) continue;
    const place = next[key] as number;
    items[place] = item;
    next[key] = place + 1;
  }
  return { first, items };
}

export function indexGraph(graph: CallGraph): GraphIndex {
  const { functions, sites, sets } = graph;
  const firstSite = new Int32Array(functions.count + 1);
  for (let site = 0; site < sites.count; site++) {
    const caller = sites.caller[site] as number;
    firstSite[caller + 1] = (firstSite[caller + 1] as number) + 1;
  }
  for (let f = 0; f < functions.count; f++) {
    firstSite[f + 1] = (firstSite[f + 1] as number) + (firstSite[f] as number);
  }
  const byMember = listsByKey(sets.members, functions.count);
  const setOfMember = new Int32Array(sets.members.length);
  for (let set = 0; set < sets.count; set++) setOfMember.fill(set, sets.start[set], sets.start[set + 1]);
  const byCallee = listsByKey(sites.callee.subarray(0, sites.count), functions.count);
  return {
    graph,
    firstSite,
    firstSet: byMember.first,
    setsOf: byMember.items.map((member) => setOfMember[member] as number),
    firstCaller: byCallee.first,
    sitesTo: byCallee.items,
  };
}

/** The typed set of each site where the level follows those, else -1. */
export function typedSetAt(graph: CallGraph, level: BudgetLevel, site: number): number {
  return level === "direct" ? -1 : (graph.sites.typedSet[site] as number);
}

/**
 * The assumed set of each site where the level follows those, else -1: where the slot is not known. Of a known slot's
 * prototype there are dozens of others, and a path through them says nothing. Where a slot may have been given more than was
 * seen, all of them count.
 */
export function assumedSetAt(graph: CallGraph, level: BudgetLevel, site: number): number {
  if (level !== "prototype-matched") return -1;
  const told = graph.slotsWhole && !isEmpty(graph, graph.sites.typedSet[site] as number);
  return told ? -1 : (graph.sites.assumedSet[site] as number);
}

/** True where the level knows no function that the site could lead to. */
export function isUnresolved(graph: CallGraph, level: BudgetLevel, site: number): boolean {
  return (
    (graph.sites.callee[site] as number) < 0 &&
    isEmpty(graph, typedSetAt(graph, level, site)) &&
    isEmpty(graph, assumedSetAt(graph, level, site))
  );
}

function isEmpty(graph: CallGraph, set: number): boolean {
  return set < 0 || graph.sets.start[set] === graph.sets.start[set + 1];
}
