import type { DeclaredTypes } from "../debuginfo/declared-types.ts";
import { SpillwayError } from "../errors.ts";
import type { Program } from "../program/program.ts";
import { buildCallGraph, type CallGraphOptions } from "./build-call-graph.ts";
import type { CallGraph } from "./call-graph.ts";
import type { FoundCalls } from "./find-calls.ts";
import { IndirectCalls } from "./indirect/indirect-calls.ts";
import type { DecodedFunctions, WalkProgress } from "./walk-functions.ts";

export interface AnalyseOptions {
  /** Waits for what `findCalls` gives, where another thread is at that; null where it came to nothing. */
  readonly calls?: (() => FoundCalls | null) | undefined;
  /** Functions that another thread decodes. */
  readonly decoded?: DecodedFunctions | undefined;
  /** What the kernel's debug information says of variables and functions, where there is some. */
  readonly declared?: DeclaredTypes | null;
}

/**
 * The whole call graph of a program: direct edges, and where indirect calls can lead.
 * @throws SpillwayError `SPW_PROGRAM_NO_CODE`
 */
export function analyseProgram(
  program: Program,
  progress: WalkProgress = () => {},
  { calls, decoded, declared = null }: AnalyseOptions = {},
): CallGraph {
  const indirect: CallGraphOptions["indirect"] = (of, table, symbols) => {
    if (table.count === 0) throw noCode(of);
    return new IndirectCalls(of, table, declared, symbols);
  };
  return buildCallGraph(program, { indirect, calls, decoded }, progress);
}

function noCode({ name, problems }: Program): SpillwayError {
  const why = problems.length === 0 ? "" : `: ${problems.join("; ")}`;
  return new SpillwayError("SPW_PROGRAM_NO_CODE", `${name}: no function of this kernel can be found${why}`, {
    class: "missing",
    facts: { name },
    hint: "Its symbols (kallsyms) are damaged or left out: a vmlinux with its symbol table has them.",
  });
}
