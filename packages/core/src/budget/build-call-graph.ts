/** From a program to its call graph: one pass over the code, in which everybody who knows of calls sees each function. */
import type { Program } from "../program/program.ts";
import type { KernelSymbol } from "../symbols/symbol-table.ts";
import type { CalleeSets, CallGraph, FunctionColumns } from "./call-graph.ts";
import { CallFinder, type FoundCalls, findCalls } from "./find-calls.ts";
import { FunctionTable } from "./function-table.ts";
import { type DecodedFunctions, type FunctionVisitor, type WalkProgress, walkFunctions } from "./walk-functions.ts";

/** Where indirect sites lead. */
export interface ResolvedTargets {
  /** One for each site; see SiteColumns. */
  readonly typedSet: Int32Array;
  readonly assumedSet: Int32Array;
  readonly sets: CalleeSets;
  /** What could not be followed, in words. */
  readonly problems?: readonly string[];
}

/** Finds out in the pass, and after it, where indirect calls lead. */
export interface IndirectResolver extends FunctionVisitor {
  resolve(table: FunctionTable, found: FoundCalls): ResolvedTargets;
}

export interface CallGraphOptions {
  /** Without one every indirect site stays unresolved. */
  readonly indirect?: (program: Program, table: FunctionTable, symbols: readonly KernelSymbol[]) => IndirectResolver;
  /** The calls (`findCalls`), where they are found elsewhere; asked for when the pass is over. Null: they are not. */
  readonly calls?: (() => FoundCalls | null) | undefined;
  /** Functions that are decoded elsewhere. */
  readonly decoded?: DecodedFunctions | undefined;
}

/** The call graph of a program's code, but for what runs at start-up only. */
export function buildCallGraph(
  program: Program,
  options: CallGraphOptions = {},
  progress: WalkProgress = () => {},
): CallGraph {
  const symbols = [...program.symbols.all()];
  const table = new FunctionTable(program, symbols);
  const finder = options.calls === undefined ? new CallFinder(program, table) : null;
  const indirect = options.indirect?.(program, table, symbols) ?? null;
  walkFunctions(
    program,
    table,
    [finder, indirect].filter((visitor) => visitor !== null),
    progress,
    options.decoded,
  );
  const found = finder?.found() ?? options.calls?.() ?? findCalls(program);
  const functions: FunctionColumns = {
    count: table.count,
    name: table.name,
    module: table.module,
    start: table.start,
    end: table.end,
    ownBytes: found.ownBytes,
    ownKind: found.ownKind,
    returns: found.returns,
  };
  const {
    typedSet,
    assumedSet,
    sets,
    problems = [],
  } = indirect?.resolve(table, found) ?? unresolved(found.sites.count);
  const slotsWhole = program.text.some((area) => area.init);
  return { slotsWhole, functions, sites: { ...found.sites, typedSet, assumedSet }, sets, problems };
}

function unresolved(count: number): ResolvedTargets {
  const none = new Int32Array(count).fill(-1);
  return {
    typedSet: none,
    assumedSet: none.slice(),
    sets: { count: 0, start: new Int32Array(1), members: new Int32Array(0), label: [] },
  };
}
