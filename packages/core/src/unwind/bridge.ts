/**
 * Bridges a stretch of destroyed frames from above: a function that is known to have been entered, the calls it makes, the
 * calls those make, down to a frame that ends exactly where the intact part below begins. Calls through pointers are
 * followed within a module, to the functions whose addresses stand in the module's data.
 */
import { callSitesIn, tailJumps } from "../code/call-site.ts";
import { canaryUse } from "../code/canary.ts";
import type { CodeReader } from "../code/code-reader.ts";
import type { Instruction, Operand } from "../code/instruction.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { frameSizeAtCall } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** One call on the way, with where it left its return address. */
export interface BridgeCall {
  readonly caller: FunctionRange;
  readonly returnAddress: bigint;
  /** CFA of the frame it entered; the return address was at calleeCfa - 8. */
  readonly calleeCfa: bigint;
  readonly callerCfa: bigint;
  readonly callee: FunctionRange;
  readonly indirect: boolean;
}

/** Where a bridge must end. */
export interface BridgeGoal {
  /** The function of the lower frame; null where only its end is known: then one that could lose its return address so. */
  readonly callee: FunctionRange | null;
  readonly cfa: bigint;
}

/** Frames bridged. */
const MAX_DEPTH = 7;
/** Function entries looked at before the search is given up. */
const MAX_VISITS = 4000;

/**
 * The one way from `top`, entered with its frame ending at `topCfa`, down to `goal`; outermost call first. Null where there
 * is none, or where different functions could have been at its end.
 */
export function bridgeDown(
  context: UnwindContext,
  top: FunctionRange,
  topCfa: bigint,
  goal: BridgeGoal,
): readonly BridgeCall[] | null {
  for (let depth = 1; depth <= MAX_DEPTH; depth++) {
    const search = new Search(context, goal);
    search.from(top, topCfa, [], depth);
    const ends = new Set(search.found.map((path) => path.at(-1)!.callee.start));
    if (ends.size > 1) return null;
    if (search.found.length > 0) return search.found[0]!;
    if (search.visits >= MAX_VISITS) return null;
  }
  return null;
}

class Search {
  readonly found: BridgeCall[][] = [];
  visits = 0;
  readonly #context: UnwindContext;
  readonly #goal: BridgeGoal;
  /** Entries that were searched with at least this many calls left, and led nowhere. */
  readonly #dead = new Map<string, number>();

  constructor(context: UnwindContext, goal: BridgeGoal) {
    this.#context = context;
    this.#goal = goal;
  }

  from(caller: FunctionRange, callerCfa: bigint, path: readonly BridgeCall[], left: number): boolean {
    const key = `${caller.start}:${callerCfa}`;
    if ((this.#dead.get(key) ?? -1) >= left || this.visits++ >= MAX_VISITS) return false;
    let any = false;
    for (const site of callSitesIn(this.#context.reader, caller.start)) {
      const size = frameSizeAtCall(this.#context, site.returnAddress);
      if (size === null) continue;
      const calleeCfa = callerCfa - BigInt(size);
      if (calleeCfa < this.#goal.cfa) continue;
      const indirect = site.target === null;
      for (const callee of this.#callees(site.target, caller)) {
        const call = { caller, returnAddress: site.returnAddress, calleeCfa, callerCfa, callee, indirect };
        if (calleeCfa === this.#goal.cfa) {
          if (!this.#isGoal(callee)) continue;
          this.found.push([...path, call]);
          any = true;
        } else if (left > 1 && this.from(callee, calleeCfa, [...path, call], left - 1)) any = true;
      }
    }
    if (!any) this.#dead.set(key, left);
    return any;
  }

  #callees(target: bigint | null, caller: FunctionRange): readonly FunctionRange[] {
    const { reader } = this.#context;
    if (target === null) return caller.module === null ? [] : addressTaken(reader, caller.module);
    const direct = reader.symbols.functionAt(target);
    if (direct === null) return [];
    const onwards = tailJumps(reader, direct.start).targets.map((address) => reader.symbols.functionAt(address));
    return [direct, ...onwards.filter((range) => range !== null)];
  }

  #isGoal(callee: FunctionRange): boolean {
    const { callee: wanted } = this.#goal;
    return wanted === null ? losesReturnAddressSilently(this.#context.reader, callee) : callee.start === wanted.start;
  }
}

const tables = new WeakMap<CodeReader, Map<string, readonly FunctionRange[]>>();

/** Functions of a module whose addresses stand in its data: what its calls through pointers can reach. */
function addressTaken(reader: CodeReader, moduleName: string): readonly FunctionRange[] {
  let known = tables.get(reader);
  if (known === undefined) {
    known = new Map();
    tables.set(reader, known);
  }
  let functions = known.get(moduleName);
  if (functions === undefined) {
    functions = findAddressTaken(reader, moduleName);
    known.set(moduleName, functions);
  }
  return functions;
}

/** Data areas larger than this are not searched. Bytes. */
const MAX_DATA = 1 << 22;

function findAddressTaken(reader: CodeReader, moduleName: string): FunctionRange[] {
  const module = reader.symbols.modules.find((candidate) => candidate.name === moduleName);
  const found = new Map<bigint, FunctionRange>();
  const text = module?.areas.filter((area) => area.text) ?? [];
  for (const area of module?.areas ?? []) {
    // Before 6.4 text and read-only data share an area; a word of code that equals a function's address is a pointer too.
    const size = Math.min(area.size, MAX_DATA) & ~7;
    const { bytes } = reader.memory.readSparse(area.start, size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = 0; offset + 8 <= size; offset += 8) {
      if (view.getUint32(offset + 4, true) !== 0xffffffff) continue;
      const value = view.getBigUint64(offset, true);
      if (!text.some((one) => value >= one.start && value < one.start + BigInt(one.size))) continue;
      const range = reader.symbols.functionAt(value);
      if (range !== null && range.start === value) found.set(value, range);
    }
  }
  return [...found.values()];
}

/**
 * Could an overrun in this function reach its return address without anybody noticing? It has something in its frame whose
 * address it takes or indexes, and no canary. Compilers protect nearly all such functions, so there are few.
 */
function losesReturnAddressSilently(reader: CodeReader, range: FunctionRange): boolean {
  const code = reader.functionAt(range.start);
  return code !== null && canaryUse(reader, code) === null && code.instructions.some(usesLocalByAddress);
}

function usesLocalByAddress(instruction: Instruction): boolean {
  const [first, second] = instruction.operands;
  if (instruction.mnemonic === "lea") return isFrame(second) && !isStackPointer(first);
  if (instruction.mnemonic === "mov" && isStackPointer(second))
    return first?.kind === "register" && first.register !== "rbp";
  return first?.kind === "memory" && first.index !== null && isFrame(first) && instruction.mnemonic !== "nop";
}

function isStackPointer(operand: Operand | undefined): boolean {
  return operand?.kind === "register" && operand.register === "rsp";
}

function isFrame(operand: Operand | undefined): boolean {
  return operand?.kind === "memory" && operand.segment === null && (operand.base === "rsp" || operand.base === "rbp");
}
