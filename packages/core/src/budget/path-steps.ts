/** The steps of paths, as documents have them. */
import type { PathStep } from "./budget-document.ts";
import { type CallGraph, CERTAINTIES } from "./call-graph.ts";
import { bytesAt, type PathNode, pathFrom } from "./deepest-path.ts";
import type { DepthPass } from "./depths.ts";

export function stepsOf(graph: CallGraph, path: readonly PathNode[]): PathStep[] {
  return path.map((_, at) => stepAt(graph, path, at));
}

function stepAt(graph: CallGraph, path: readonly PathNode[], at: number): PathStep {
  const { functions, sites, sets } = graph;
  const { f, site, certainty, cut } = path[at]!;
  const set = site < 0 || certainty === 0 ? -1 : (certainty === 1 ? sites.typedSet : sites.assumedSet)[site]!;
  const caller = path[at - 1];
  return {
    function: functions.name[f]!,
    module: functions.module[f]!,
    bytes: bytesAt(graph, path, at),
    certainty: site < 0 ? null : CERTAINTIES[certainty]!,
    offset: caller === undefined ? null : sites.address[site]! - functions.start[caller.f]!,
    slot: set < 0 ? null : sets.label[set]!,
    cut,
  };
}

/** The steps of many paths of the same passes. Where paths come together they share all further steps, each of which is made once. */
export class SharedSteps {
  readonly #graph: CallGraph;
  readonly #passes: readonly DepthPass[];
  /** Of each pass, and in it of each function that paths come by: the step that they go on with. */
  readonly #after: Map<number, PathStep>[];

  constructor(graph: CallGraph, passes: readonly DepthPass[]) {
    this.#graph = graph;
    this.#passes = passes;
    this.#after = passes.map(() => new Map());
  }

  /** The deepest path from a function in the last of the passes. */
  from(start: number): PathStep[] {
    const path = pathFrom(this.#passes, start);
    const steps = [stepAt(this.#graph, path, 0)];
    let round = this.#passes.length - 1;
    for (let at = 1; at < path.length; at++) {
      const after = this.#after[round]!;
      const caller = path[at - 1]!.f;
      const step = after.get(caller) ?? stepAt(this.#graph, path, at);
      after.set(caller, step);
      steps.push(step);
      if (path[at]!.cut) round--;
    }
    return steps;
  }
}
