/**
 * Bridges a stretch of destroyed frames from above: a function that is known to have been entered, the calls it makes, the
 * calls those make, down to a frame that ends exactly where the intact part below begins. Calls through pointers are
 * followed within a module, to the functions whose addresses stand in the module's data.
 */
import { callSitesIn, tailJumps } from "../code/call-site.ts";
import { canaryUse } from "../code/canary.ts";
import type { CodeReader, FunctionCode } from "../code/code-reader.ts";
import { directCallers } from "../code/direct-callers.ts";
import { frameLayout } from "../code/frame-layout.ts";
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
  /** Registers as the lower function left them. */
  readonly registers: ReadonlyMap<string, bigint>;
}

/** Frames bridged. */
const MAX_DEPTH = 7;
/** Function entries looked at before the search is given up. */
const MAX_VISITS = 4000;

/**
 * The one way down to `goal` from the call that returns to `returnAddress` and entered a frame that ends at `topCfa`;
 * outermost call first, that one left out. Null where there is none, or where there are several: a guess is no frame.
 */
export function bridgeDown(
  context: UnwindContext,
  returnAddress: bigint,
  topCfa: bigint,
  goal: BridgeGoal,
): readonly BridgeCall[] | null {
  const site = context.callSite(returnAddress);
  if (site === null) return null;
  for (let depth = 1; depth <= MAX_DEPTH; depth++) {
    const search = new Search(context, goal);
    for (const top of search.callees(site.target, site.caller)) search.from(top, topCfa, [], depth);
    const paths = preferHeldLocals(context, search.found, goal);
    const ways = new Set(
      paths.map((path) => path.map((call) => `${call.caller.start}>${call.callee.start}`).join(" ")),
    );
    if (ways.size > 1) return null;
    if (paths.length > 0) return paths[0]!;
    if (search.visits >= MAX_VISITS) return null;
  }
  return null;
}

/**
 * Where several functions could be at the end, those of which a register still holds the address of a local: of a buffer
 * that was just written, it mostly does.
 */
function preferHeldLocals(
  context: UnwindContext,
  paths: readonly BridgeCall[][],
  goal: BridgeGoal,
): readonly BridgeCall[][] {
  if (paths.length < 2) return paths;
  const values = new Set([...goal.registers].filter(([name]) => name !== "rsp").map(([, value]) => value));
  const held = paths.filter((path) => {
    const code = context.reader.functionAt(path.at(-1)!.callee.start);
    return code !== null && localDepths(code).some((depth) => values.has(goal.cfa - BigInt(depth)));
  });
  return held.length > 0 ? held : paths;
}

/** CFA minus the address, in bytes, of each local whose address the function takes. */
function localDepths(code: FunctionCode): number[] {
  const layout = frameLayout(code);
  const depths: number[] = [];
  for (const [index, instruction] of code.instructions.entries()) {
    const state = layout[index];
    const source = instruction.operands[1];
    if (state == null || !usesLocalByAddress(instruction)) continue;
    if (isStackPointer(source)) {
      if (state.rspDepth !== null) depths.push(state.rspDepth);
    } else if (source?.kind === "memory") {
      const base = source.base === "rsp" ? state.rspDepth : state.rbpDepth;
      if (base !== null) depths.push(base - Number(source.displacement));
    }
  }
  return depths;
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
      for (const callee of this.callees(site.target, caller)) {
        const call = { caller, returnAddress: site.returnAddress, calleeCfa, callerCfa, callee, indirect };
        if (calleeCfa === this.#goal.cfa) {
          if (!this.#isGoal(callee) || (indirect && this.#calledDirectly(callee))) continue;
          this.found.push([...path, call]);
          any = true;
        } else if (left > 1 && this.from(callee, calleeCfa, [...path, call], left - 1)) any = true;
      }
    }
    if (!any) this.#dead.set(key, left);
    return any;
  }

  callees(target: bigint | null, caller: FunctionRange): readonly FunctionRange[] {
    const { reader } = this.#context;
    if (target === null) return caller.module === null ? [] : addressTaken(reader, caller.module);
    const direct = reader.symbols.functionAt(target);
    if (direct === null) return [];
    const onwards = tailJumps(reader, direct.start).targets.map((address) => reader.symbols.functionAt(address));
    return [direct, ...onwards.filter((range) => range !== null)];
  }

  /** A function with direct callers is hardly ever called through a pointer besides; what else fits is chance. */
  #calledDirectly(callee: FunctionRange): boolean {
    return directCallers(this.#context.reader, callee).length > 0;
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
/** So many function entries in a row, in ascending order, are ftrace's list of call sites and no table anybody calls through. */
const LISTED_IN_A_ROW = 12;

function findAddressTaken(reader: CodeReader, moduleName: string): FunctionRange[] {
  const module = reader.symbols.modules.find((candidate) => candidate.name === moduleName);
  const found = new Map<bigint, FunctionRange>();
  const text = module?.areas.filter((area) => area.text) ?? [];
  const isCode = (value: bigint) => text.some((one) => value >= one.start && value < one.start + BigInt(one.size));
  for (const area of module?.areas ?? []) {
    // Before 6.4 text and read-only data share an area; a word of code that equals a function's address is a pointer too.
    const size = Math.min(area.size, MAX_DATA) & ~7;
    const { bytes } = reader.memory.readSparse(area.start, size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let row: { at: bigint; range: FunctionRange }[] = [];
    const endRow = () => {
      if (row.length < LISTED_IN_A_ROW) {
        for (const { at, range } of row) if (at === range.start) found.set(at, range);
      }
      row = [];
    };
    for (let offset = 0; offset + 8 <= size; offset += 8) {
      const value = view.getUint32(offset + 4, true) === 0xffffffff ? view.getBigUint64(offset, true) : 0n;
      const range = isCode(value) ? reader.symbols.functionAt(value) : null;
      if (range === null || value - range.start >= ENTRY_BYTES || isSymbolTableEntry(view, offset, range)) {
        endRow();
        continue;
      }
      if (row.length > 0 && row.at(-1)!.at >= value) endRow();
      row.push({ at: value, range });
    }
    endRow();
  }
  for (const range of takenByCode(reader, text)) found.set(range.start, range);
  return [...found.values()];
}

/** Behind endbr64, an ftrace site is still at a function's entry. Bytes. */
const ENTRY_BYTES = 16n;

/** Functions whose address an instruction puts into a register or memory: `mov $f,%reg`, `lea f(%rip),%reg`. */
function takenByCode(reader: CodeReader, text: readonly { start: bigint; size: number }[]): FunctionRange[] {
  const found: FunctionRange[] = [];
  for (const area of text) {
    const size = Math.min(area.size, MAX_DATA);
    const { bytes } = reader.memory.readSparse(area.start, size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    // Modules lie in the top 2 GiB, so that a function's address fits a sign-extended immediate.
    const base = Number(BigInt.asIntN(32, area.start));
    for (let offset = 3; offset + 4 <= size; offset++) {
      const value = view.getInt32(offset, true);
      // lea is 8d with a ModRM byte of mod 0, rm 5 (RIP-relative); mov is b8+r, or c7 with ModRM and displacement.
      const isLea = bytes[offset - 2] === 0x8d && (bytes[offset - 1]! & 0xc7) === 0x05;
      const target = isLea ? offset + 4 + value : value - base;
      if (target < 0 || target >= size) continue;
      if (!isLea && !movesImmediate(bytes, offset)) continue;
      const address = area.start + BigInt(target);
      const range = reader.symbols.functionAt(address);
      if (range !== null && range.start === address) found.push(range);
    }
  }
  return found;
}

function movesImmediate(bytes: Uint8Array, offset: number): boolean {
  if ((bytes[offset - 1]! & 0xf8) === 0xb8) return true;
  for (let back = 2; back <= 7 && back <= offset; back++) if (bytes[offset - back] === 0xc7) return true;
  return false;
}

/** Padding to the next function's alignment that a range may hold beyond the symbol's own size. Bytes. */
const PADDING = 64n;

/** The kernel keeps the module's symbol table: Elf64_Sym has the size right behind the value. */
function isSymbolTableEntry(view: DataView, offset: number, range: FunctionRange): boolean {
  if (offset + 16 > view.byteLength) return false;
  const size = view.getBigUint64(offset + 8, true);
  const extent = range.end - range.start;
  return size > 0n && size <= extent && size + PADDING >= extent;
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
