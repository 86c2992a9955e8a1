/** The pass over a program's code that finds its calls: a part of the call graph that nothing else is needed for. */
import type { Program } from "../program/program.ts";
import { BranchTargets } from "./branch-targets.ts";
import { SiteFinder } from "./find-sites.ts";
import { DEPTH_KIND } from "./frame-depths.ts";
import { FunctionTable } from "./function-table.ts";
import { whatReturns } from "./returns.ts";
import { type FoundSites, Sites } from "./sites.ts";
import { type FunctionVisitor, type WalkedFunction, type WalkProgress, walkFunctions } from "./walk-functions.ts";

/** Calls, and what else of functions the same look at their code tells; columns only, which threads can hand to each other. */
export interface FoundCalls {
  readonly sites: FoundSites;
  /** One for each function; see FunctionColumns. */
  readonly ownBytes: Int32Array;
  readonly ownKind: Uint8Array;
  readonly returns: Uint8Array;
}

export class CallFinder implements FunctionVisitor {
  readonly #finder: SiteFinder;
  readonly #sites = new Sites();
  readonly #ownBytes: Int32Array;
  readonly #ownKind: Uint8Array;
  readonly #returns: Uint8Array;

  constructor(program: Program, table: FunctionTable) {
    this.#finder = new SiteFinder(program, table, new BranchTargets(program, table));
    this.#ownBytes = new Int32Array(table.count);
    this.#ownKind = new Uint8Array(table.count).fill(DEPTH_KIND.unknown);
    // What could not be read may well return.
    this.#returns = new Uint8Array(table.count).fill(1);
  }

  visit({ index, code }: WalkedFunction): void {
    for (const site of this.#finder.find(index, code)) this.#sites.push(index, site);
    const own = this.#finder.depths.own(code);
    this.#ownBytes[index] = own.bytes;
    this.#ownKind[index] = own.kind;
    this.#returns[index] = this.#finder.hasReturn(code) ? 1 : 0;
  }

  /** To be asked once, when all functions have been visited. */
  found(): FoundCalls {
    const sites = this.#sites.columns();
    return {
      sites,
      ownBytes: this.#ownBytes,
      ownKind: this.#ownKind,
      returns: whatReturns(this.#returns, sites),
    };
  }
}

/**
 * The calls of a program's code by themselves, for `analyseProgram`: whoever has a second thread can have them found there,
 * while the first one follows the pointers. Functions are numbered alike for all who open the same files.
 */
export function findCalls(program: Program, progress: WalkProgress = () => {}): FoundCalls {
  const table = new FunctionTable(program);
  const finder = new CallFinder(program, table);
  walkFunctions(program, table, [finder], progress);
  return finder.found();
}
