/** Which entries lead to a function, and which of them on their deepest path. */
import type { Budget } from "./budget.ts";
import type { EntryKind, EntryStack } from "./budget-document.ts";
import { pathFrom } from "./deepest-path.ts";
import { type GraphIndex, listsByKey } from "./graph-index.ts";
import { BARE, DIRECT } from "./level-graph.ts";
import { atLevel, type BudgetLevel } from "./levels.ts";
import { boundPasses } from "./solve.ts";

export interface EntryThrough {
  readonly entry: string;
  readonly module: string | null;
  readonly kind: EntryKind;
  readonly stack: EntryStack;
  /** The entry's bound, whichever way its deepest path goes. */
  readonly boundBytes: number;
  /** Whether that path goes through the function. */
  readonly onDeepestPath: boolean;
}

/**
 * The entries from which some calls of a level lead to a function: first those whose deepest path goes through it, the deepest
 * first. The function itself is one where it is an entry.
 * @throws SpillwayError `SPW_BUDGET_NO_FUNCTION`
 */
export function entriesThrough(budget: Budget, name: string, level: BudgetLevel): EntryThrough[] {
  const { entries, graph, names, solved } = budget;
  const f = names.find(name);
  const leads = leadingTo(solved.index, level, f);
  const passes = boundPasses(solved, atLevel(solved.levels, level));
  const bound = passes.at(-1)!.depth;
  return entries
    .filter((entry) => leads[entry.f] === 1)
    .map((entry) => ({
      entry: graph.functions.name[entry.f]!,
      module: graph.functions.module[entry.f]!,
      kind: entry.kind,
      stack: entry.stack,
      boundBytes: entry.baseBytes + bound[entry.f]!,
      onDeepestPath: pathFrom(passes, entry.f).some((node) => node.f === f),
    }))
    .sort((a, b) => Number(b.onDeepestPath) - Number(a.onDeepestPath) || b.boundBytes - a.boundBytes);
}

/** Functions (1) from which calls of a level lead to one. */
function leadingTo(index: GraphIndex, level: BudgetLevel, f: number): Uint8Array {
  const { count } = index.graph.functions;
  const { first, kind, to, firstSet, setsOf } = index.at(level);
  const edgeCount = first[count]!;
  const callers = new Int32Array(edgeCount);
  for (let caller = 0; caller < count; caller++) callers.fill(caller, first[caller], first[caller + 1]);
  // Sets come behind the functions.
  const keys = new Int32Array(edgeCount);
  for (let edge = 0; edge < edgeCount; edge++) {
    keys[edge] = kind[edge] === BARE ? -1 : kind[edge] === DIRECT ? to[edge]! : count + to[edge]!;
  }
  const edgesTo = listsByKey(keys, edgeCount, count + index.graph.sets.count);
  const leads = new Uint8Array(count);
  const seenSets = new Uint8Array(index.graph.sets.count);
  const open = [f];
  leads[f] = 1;
  const take = (key: number): void => {
    for (let at = edgesTo.first[key]!; at < edgesTo.first[key + 1]!; at++) {
      const caller = callers[edgesTo.items[at]!]!;
      if (leads[caller] === 1) continue;
      leads[caller] = 1;
      open.push(caller);
    }
  };
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    take(one);
    for (let at = firstSet[one]!; at < firstSet[one + 1]!; at++) {
      const set = setsOf[at]!;
      if (seenSets[set] === 1) continue;
      seenSets[set] = 1;
      take(count + set);
    }
  }
  return leads;
}
