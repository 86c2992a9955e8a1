/** From a program to its call graph: one pass over the code, in which everybody who knows of calls sees each function. */
import type { Program } from "../program/program.ts";
import { BranchTargets } from "./branch-targets.ts";
import type { CalleeSets, CallGraph, FunctionColumns } from "./call-graph.ts";
import { SiteFinder } from "./find-sites.ts";
import { DEPTH_KIND } from "./frame-depths.ts";
import { FunctionTable } from "./function-table.ts";
import { whatReturns } from "./returns.ts";
import { Sites } from "./sites.ts";
import { type WalkedFunction, type WalkProgress, walkFunctions } from "./walk-functions.ts";

/** The function in the pass, and its sites: those of `sites` numbered from `first` up to `end`, ascending by address. */
export interface VisitedFunction extends WalkedFunction {
  readonly sites: Sites;
  readonly first: number;
  readonly end: number;
}

/** Where indirect sites lead. */
export interface ResolvedTargets {
  /** One for each site; see SiteColumns. */
  readonly typedSet: Int32Array;
  readonly assumedSet: Int32Array;
  readonly sets: CalleeSets;
}

/** Finds out in the pass, and after it, where indirect calls lead. */
export interface IndirectResolver {
  visit(visited: VisitedFunction): void;
  resolve(table: FunctionTable, sites: Sites): ResolvedTargets;
}

export interface CallGraphOptions {
  /** Without one every indirect site stays unresolved. */
  readonly indirect?: (program: Program, table: FunctionTable) => IndirectResolver;
}

/** The call graph of a program's code, but for what runs at start-up only. */
export function buildCallGraph(
  program: Program,
  options: CallGraphOptions = {},
  progress: WalkProgress = () => {},
): CallGraph {
  const table = new FunctionTable(program);
  const finder = new SiteFinder(program, table, new BranchTargets(program, table));
  const sites = new Sites();
  const ownBytes = new Int32Array(table.count);
  const ownKind = new Uint8Array(table.count).fill(DEPTH_KIND.unknown);
  // What could not be read may well return.
  const returns = new Uint8Array(table.count).fill(1);
  const indirect = options.indirect?.(program, table) ?? null;
  const visit = (walked: WalkedFunction): void => {
    const first = sites.count;
    for (const site of finder.find(walked.index, walked.code)) sites.push(walked.index, site);
    const own = finder.depths.own(walked.code);
    ownBytes[walked.index] = own.bytes;
    ownKind[walked.index] = own.kind;
    returns[walked.index] = finder.hasReturn(walked.code) ? 1 : 0;
    indirect?.visit({ ...walked, sites, first, end: sites.count });
  };
  walkFunctions(program, table, [{ visit }], progress);
  const functions: FunctionColumns = {
    count: table.count,
    name: table.name,
    module: table.module,
    start: table.start,
    end: table.end,
    ownBytes,
    ownKind,
    returns: whatReturns(returns, sites),
  };
  const { typedSet, assumedSet, sets } = indirect?.resolve(table, sites) ?? unresolved(sites.count);
  const slotsWhole = program.text.some((area) => area.init);
  return { slotsWhole, functions, sites: sites.columns(typedSet, assumedSet), sets };
}

function unresolved(count: number): ResolvedTargets {
  const none = new Int32Array(count).fill(-1);
  return {
    typedSet: none,
    assumedSet: none.slice(),
    sets: { count: 0, start: new Int32Array(1), members: new Int32Array(0), label: [] },
  };
}
