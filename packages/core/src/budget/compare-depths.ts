/**
 * ORC against the code: two independent ways to how deep the stack is, held against each other at every instruction that
 * both speak of. ORC is what objtool found when the kernel was built; following the code asks for nothing but the code.
 */
import { type CodeColumns, FLOW } from "../code/code-columns.ts";
import type { Program } from "../program/program.ts";
import { ORC_REGISTERS } from "../unwind/orc-run.ts";
import { BranchTargets } from "./branch-targets.ts";
import type { CallGraph } from "./call-graph.ts";
import { depthBytes, depthSureness, EXACT, UNKNOWN } from "./depth-number.ts";
import { FrameDepths } from "./frame-depths.ts";
import { FunctionTable } from "./function-table.ts";
import { innerJumpsOf } from "./jump-tables.ts";
import { THUNK } from "./thunks.ts";
import { type WalkProgress, walkFunctions } from "./walk-functions.ts";

/** Why the two may differ and both be right; told by what the function is, not by the difference. */
export const DIFFERENCE_CAUSES = [
  /** The CPU enters it, or code that has stored registers: what it calls leaves them on the stack (`paranoid_entry`). */
  "saved-registers",
  /** ORC says nothing of its first instruction, so that there is nothing to count from. */
  "entry-untold",
  /** It calls into itself to fill the CPU's return stack; ORC and the code count those words at other instructions. */
  "return-stack-filling",
  /** Nothing of the kind. */
  "unexplained",
] as const;
export type DifferenceCause = (typeof DIFFERENCE_CAUSES)[number];

/** What the two say of one instruction. */
interface Both {
  /** What is compared: RSP, or RBP where ORC goes by it. */
  readonly register: "rsp" | "rbp";
  readonly orcBytes: number;
  readonly codeBytes: number;
}

/** Where the two differ first in a function. */
export interface DepthDifference extends Both {
  readonly name: string;
  readonly module: string | null;
  /** Low 32 bits, signed. */
  readonly address: number;
  /** Instructions of the function at which they differ. */
  readonly instructions: number;
  readonly cause: DifferenceCause;
}

export interface DepthComparison {
  /** Functions, thunks apart, in which both speak of an instruction at least. */
  readonly functions: number;
  readonly equalFunctions: number;
  readonly instructions: number;
  readonly equalInstructions: number;
  /** Instructions of which ORC speaks and following the code does not: nothing in the code leads there. */
  readonly notReached: number;
  readonly differences: readonly DepthDifference[];
}

const BP = ORC_REGISTERS.indexOf("bp");

/**
 * Compares them over all of a program's code.
 * @param graph of the program: behind a call of what never returns, code is followed no further
 */
export function compareDepths(program: Program, graph: CallGraph, progress: WalkProgress = () => {}): DepthComparison {
  const table = new FunctionTable(program);
  const { thunks } = new BranchTargets(program, table);
  const depths = new FrameDepths(program.orc);
  const stops = (target: number): boolean => {
    const callee = table.entryAt(target);
    return callee >= 0 && graph.functions.returns[callee] === 0;
  };
  const differences: DepthDifference[] = [];
  let functions = 0;
  let instructions = 0;
  let equalInstructions = 0;
  let notReached = 0;
  const visit = ({ index, code }: { index: number; code: CodeColumns }): void => {
    // Retpolines and return thunks overwrite return addresses, and are nobody's callees: branches to them are told by name.
    if (thunks.kind[index] !== THUNK.NONE) return;
    depths.follow(code, innerJumpsOf(program, table, code), stops);
    let compared = 0;
    let first: (Both & { readonly address: number }) | null = null;
    let different = 0;
    for (let at = 0; at < code.count; at++) {
      const both = bothAt(depths, at);
      if (both === "not-reached") notReached++;
      if (both === null || both === "not-reached") continue;
      compared++;
      if (both.orcBytes === both.codeBytes) continue;
      different++;
      first ??= { address: code.address[at]!, ...both };
    }
    if (compared === 0) return;
    functions++;
    instructions += compared;
    equalInstructions += compared - different;
    if (first === null) return;
    const cause = causeOf(depths, code);
    differences.push({
      name: table.name[index]!,
      module: table.module[index]!,
      ...first,
      instructions: different,
      cause,
    });
  };
  walkFunctions(program, table, [{ visit }], progress);
  const equalFunctions = functions - differences.length;
  return { functions, equalFunctions, instructions, equalInstructions, notReached, differences };
}

/** What both say of an instruction; null where ORC is silent, or goes by what the code does not know exactly. */
function bothAt(depths: FrameDepths, at: number): Both | "not-reached" | null {
  const rsp = depths.tracked.rsp[at]!;
  const byOrc = depths.byOrc(at);
  if (byOrc !== null) {
    if (rsp === UNKNOWN) return "not-reached";
    if (depths.tracked.other[at] !== 0 || depthSureness(rsp) !== EXACT) return null;
    return { register: "rsp", orcBytes: byOrc, codeBytes: depthBytes(rsp) };
  }
  const entry = depths.orcAt[at]!;
  if (entry < 0 || depths.orc.spRegister[entry] !== BP) return null;
  const rbp = depths.tracked.rbp[at]!;
  if (rbp === UNKNOWN) return rsp === UNKNOWN ? "not-reached" : null;
  if (depthSureness(rbp) !== EXACT) return null;
  return { register: "rbp", orcBytes: depths.orc.spOffset[entry]!, codeBytes: depthBytes(rbp) };
}

function causeOf(depths: FrameDepths, code: CodeColumns): DifferenceCause {
  const { registers } = depths.entry;
  if (registers === null) return "entry-untold";
  if (registers) return "saved-registers";
  for (let at = 0; at < code.count; at++) {
    // The first instruction is the function itself.
    if (code.flow[at] === FLOW.call && code.indexAt(code.target[at]!) > 0) return "return-stack-filling";
  }
  return "unexplained";
}
