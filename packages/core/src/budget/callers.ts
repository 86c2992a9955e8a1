/** Who calls a function, and how full the stack may be there. */
import type { Budget } from "./budget.ts";
import { CERTAINTIES, type EdgeCertainty, SITE_KINDS, type SiteKind } from "./call-graph.ts";
import { deepestContexts } from "./depths.ts";
import { assumedSetAt, typedSetAt } from "./level-sets.ts";
import type { BudgetLevel } from "./levels.ts";

export interface Caller {
  readonly function: string;
  readonly module: string | null;
  /** Of the call, from the caller's address. */
  readonly offset: number;
  readonly kind: SiteKind;
  readonly certainty: EdgeCertainty;
  /** Label of the set that an indirect call goes by; null for a direct one. */
  readonly slot: string | null;
  /** True where the call is an upcall: a way through it has one fewer left above it. */
  readonly cut: boolean;
  /**
   * Bytes of stack in use above the function's frame when it is called from here, on the deepest way from an entry that takes as
   * many upcalls as the bounds let a path take, this call included; null where no entry leads here so.
   */
  readonly inUseBytes: number | null;
}

/**
 * Every call that leads to a function at a level, those on the fullest stack first.
 * @throws SpillwayError `SPW_BUDGET_NO_FUNCTION`
 */
export function callersOf(budget: Budget, name: string, level: BudgetLevel): Caller[] {
  const { graph, solved, entries, names } = budget;
  const { index, order, rounds } = solved;
  const { functions, sites, sets } = graph;
  const f = names.find(name);
  const base = new Int32Array(functions.count).fill(-1);
  for (const entry of entries) base[entry.f] = Math.max(base[entry.f] as number, entry.baseBytes);
  const passes = deepestContexts(index, order, level, rounds, base);
  const callers: Caller[] = [];
  const add = (site: number, certainty: number, set: number): void => {
    const caller = sites.caller[site] as number;
    const cut = (order.position[caller] as number) >= (order.position[f] as number);
    const reached = passes[cut ? rounds - 1 : rounds]?.above[caller] ?? -1;
    callers.push({
      function: functions.name[caller] as string,
      module: functions.module[caller] as string | null,
      offset: (sites.address[site] as number) - (functions.start[caller] as number),
      kind: SITE_KINDS[sites.kind[site] as number] as SiteKind,
      certainty: CERTAINTIES[certainty] as EdgeCertainty,
      slot: set < 0 ? null : (sets.label[set] as string),
      cut,
      inUseBytes: reached < 0 ? null : reached + (sites.bytes[site] as number),
    });
  };
  for (let at = index.firstCaller[f] as number; at < (index.firstCaller[f + 1] as number); at++) {
    add(index.sitesTo[at] as number, 0, -1);
  }
  const mine = new Set(index.setsOf.subarray(index.firstSet[f], index.firstSet[f + 1]));
  for (let site = 0; site < sites.count && mine.size > 0; site++) {
    const typed = typedSetAt(graph, level, site);
    const assumed = assumedSetAt(graph, level, site);
    // A typed callee is not told again as one that its prototype fits.
    if (mine.has(typed)) add(site, 1, typed);
    else if (mine.has(assumed)) add(site, 2, assumed);
  }
  return callers.sort((a, b) => (b.inUseBytes ?? -1) - (a.inUseBytes ?? -1));
}
