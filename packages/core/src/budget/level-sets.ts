/** Which sets of callees a level follows at a site. */
import type { CallGraph } from "./call-graph.ts";
import type { BudgetLevel } from "./levels.ts";

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
