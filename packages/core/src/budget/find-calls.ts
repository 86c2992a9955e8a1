/** The pass over a program's code that finds its calls: a part of the call graph that nothing else is needed for. */
import type { Program } from "../program/program.ts";
import { BranchTargets } from "./branch-targets.ts";
import { SiteFinder } from "./find-sites.ts";
import { DEPTH_KIND } from "./frame-depths.ts";
import { FunctionTable } from "./function-table.ts";
import { CodeBlocks } from "./indirect/code-blocks.ts";
import { CodeReferences, type FoundReferences } from "./indirect/code-references.ts";
import { jumpLabels } from "./indirect/jump-labels.ts";
import type { DecodedFunction } from "./packed-function.ts";
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
  readonly references: FoundReferences;
}

/** Gets functions as soon as they are decoded; numbers as in WalkedFunction. */
export interface FunctionReceiver {
  wants(index: number): boolean;
  /** Called for what it wants, in ascending order; the function is filled anew for the next one: keep nothing of it. */
  receive(index: number, decoded: DecodedFunction): void;
}

function handOver(program: Program, receiver: FunctionReceiver): FunctionVisitor {
  const blocks = new CodeBlocks(jumpLabels(program));
  const visit = ({ index, code }: WalkedFunction): void => {
    if (receiver.wants(index)) receiver.receive(index, { code, blocks: blocks.of(code) });
  };
  return { visit, visitInit: visit };
}

export class CallFinder implements FunctionVisitor {
  readonly #finder: SiteFinder;
  readonly #sites = new Sites();
  readonly #ownBytes: Int32Array;
  readonly #ownKind: Uint8Array;
  readonly #returns: Uint8Array;
  readonly #references: CodeReferences;

  constructor(program: Program, table: FunctionTable) {
    this.#finder = new SiteFinder(program, table, new BranchTargets(program, table));
    this.#ownBytes = new Int32Array(table.count);
    this.#ownKind = new Uint8Array(table.count).fill(DEPTH_KIND.unknown);
    // What could not be read may well return.
    this.#returns = new Uint8Array(table.count).fill(1);
    this.#references = new CodeReferences(table.symbols);
  }

  visit({ index, code }: WalkedFunction): void {
    for (const site of this.#finder.find(index, code)) this.#sites.push(index, site);
    const own = this.#finder.depths.own(code);
    this.#ownBytes[index] = own.bytes;
    this.#ownKind[index] = own.kind;
    this.#returns[index] = this.#finder.hasReturn(code) ? 1 : 0;
    this.#references.look(code);
  }

  visitInit({ code }: WalkedFunction): void {
    this.#references.look(code);
  }

  /** To be asked once, when all functions have been visited. */
  found(): FoundCalls {
    const sites = this.#sites.columns();
    return {
      sites,
      ownBytes: this.#ownBytes,
      ownKind: this.#ownKind,
      returns: whatReturns(this.#returns, sites),
      references: this.#references.found(),
    };
  }
}

/**
 * The calls of a program's code by themselves, for `analyseProgram`: whoever has a second thread can have them found there,
 * while the first one follows the pointers. Functions are numbered alike for all who open the same files.
 * @param receiver gets what it wants of the functions on the way
 */
export function findCalls(
  program: Program,
  progress: WalkProgress = () => {},
  receiver: FunctionReceiver | null = null,
): FoundCalls {
  const table = new FunctionTable(program);
  const finder = new CallFinder(program, table);
  const visitors = receiver === null ? [finder] : [handOver(program, receiver), finder];
  walkFunctions(program, table, visitors, progress);
  return finder.found();
}
