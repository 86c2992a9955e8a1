import type { Program } from "../program/program.ts";
import { buildCallGraph } from "./build-call-graph.ts";
import type { CallGraph } from "./call-graph.ts";
import type { FoundCalls } from "./find-calls.ts";
import { IndirectCalls } from "./indirect/indirect-calls.ts";
import type { WalkProgress } from "./walk-functions.ts";

/**
 * The whole call graph of a program: direct edges, and where indirect calls can lead.
 * @param calls waits for what `findCalls` gives, where another thread is at that; null where it came to nothing
 */
export function analyseProgram(
  program: Program,
  progress: WalkProgress = () => {},
  calls?: () => FoundCalls | null,
): CallGraph {
  return buildCallGraph(program, { indirect: (of, table) => new IndirectCalls(of, table), calls }, progress);
}
