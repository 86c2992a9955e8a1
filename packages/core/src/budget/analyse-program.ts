import type { DeclaredTypes } from "../debuginfo/declared-types.ts";
import type { Program } from "../program/program.ts";
import { buildCallGraph } from "./build-call-graph.ts";
import type { CallGraph } from "./call-graph.ts";
import type { FoundCalls } from "./find-calls.ts";
import { IndirectCalls } from "./indirect/indirect-calls.ts";
import type { WalkProgress } from "./walk-functions.ts";

export interface AnalyseOptions {
  /** Waits for what `findCalls` gives, where another thread is at that; null where it came to nothing. */
  readonly calls?: (() => FoundCalls | null) | undefined;
  /** What the kernel's debug information says of variables and functions, where there is some. */
  readonly declared?: DeclaredTypes | null;
}

/** The whole call graph of a program: direct edges, and where indirect calls can lead. */
export function analyseProgram(
  program: Program,
  progress: WalkProgress = () => {},
  { calls, declared = null }: AnalyseOptions = {},
): CallGraph {
  return buildCallGraph(
    program,
    { indirect: (of, table, symbols) => new IndirectCalls(of, table, declared, symbols), calls },
    progress,
  );
}
