/** Everything that is computed of a call graph, whatever its functions are called: for each level, once. */
import type { CallGraph } from "./call-graph.ts";
import { type Components, findComponents } from "./components.ts";
import { type CutOrder, cutOrder } from "./cut-order.ts";
import { type DepthPass, deepestPaths } from "./depths.ts";
import { type GraphIndex, indexGraph } from "./graph-index.ts";
import { BUDGET_LEVELS, type BudgetLevel, type ByLevel, byLevel } from "./levels.ts";
import { type NoFunctionTwice, noFunctionTwice } from "./no-function-twice.ts";

export interface SolvedLevel {
  readonly level: BudgetLevel;
  readonly components: Components;
  /** `rounds + 2` passes: the bound is the last but one, and the last is one round more. */
  readonly passes: readonly DepthPass[];
  readonly noFunctionTwice: NoFunctionTwice;
}

export interface SolvedGraph {
  readonly graph: CallGraph;
  readonly index: GraphIndex;
  /** Cut edges that a bound lets a path take. */
  readonly rounds: number;
  readonly order: CutOrder;
  readonly levels: ByLevel<SolvedLevel>;
}

export function solveGraph(graph: CallGraph, rounds = 0): SolvedGraph {
  const index = indexGraph(graph);
  const components = BUDGET_LEVELS.map((level) => findComponents(index, { level }));
  const order = cutOrder(index, components);
  return {
    graph,
    index,
    rounds,
    order,
    levels: byLevel((level, at) => {
      const own = components[at] as Components;
      return {
        level,
        components: own,
        passes: deepestPaths(index, order, level, rounds + 1),
        noFunctionTwice: noFunctionTwice(index, level, own),
      };
    }),
  };
}

/** The passes that give the bound itself. */
export function boundPasses(solved: SolvedGraph, level: SolvedLevel): readonly DepthPass[] {
  return level.passes.slice(0, solved.rounds + 1);
}
