/** Everything that is computed of a call graph, whatever its functions are called: for each level, once. */
import type { CallGraph } from "./call-graph.ts";
import { type CallOrder, layeredOrder } from "./call-layers.ts";
import { type Components, findComponents } from "./components.ts";
import { type DepthPass, deepestPaths } from "./depths.ts";
import { type GraphIndex, indexGraph } from "./graph-index.ts";
import { atLevel, type BudgetLevel, type ByLevel, byLevel, lazyByLevel } from "./levels.ts";
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
  readonly order: CallOrder;
  readonly levels: ByLevel<SolvedLevel>;
}

/**
 * Upcalls that the bounds let one path take, unless asked otherwise: as many as hold every depth at a call that kernels at work
 * were seen with (docs/budget-method.md, "Held against kernels at work").
 */
export const TOLD_ROUNDS = 4;

/** Each takes memory for every function; no kernel calls back into itself nearly as often. */
export const MOST_ROUNDS = 64;

/** @param starts the entries' functions, which the order of the functions begins with */
export function solveGraph(
  graph: CallGraph,
  rounds = TOLD_ROUNDS,
  starts: Iterable<number> = [],
  index: GraphIndex = indexGraph(graph),
): SolvedGraph {
  const components = byLevel((level) => findComponents(index, { level }));
  const order = layeredOrder(index, components, starts);
  return {
    graph,
    index,
    rounds,
    order,
    levels: lazyByLevel((level) => {
      const own = atLevel(components, level);
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
