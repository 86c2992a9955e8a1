/**
 * Calls and what they can reach: the test that tells a live return address from a word that merely looks like one.
 */
import type { FunctionRange } from "../symbols/symbol-table.ts";
import type { CodeReader, FunctionCode } from "./code-reader.ts";
import type { Instruction } from "./instruction.ts";

/** A call instruction with the return address it pushes. */
export interface CallSite {
  readonly instruction: Instruction;
  readonly returnAddress: bigint;
  /** The function that makes the call. */
  readonly caller: FunctionRange;
  /** Target of a direct call that is no thunk; null for an indirect one. */
  readonly target: bigint | null;
}

/**
 * The call that pushes `returnAddress`, or null where no call ends there. Looked up at returnAddress - 1, since a call to a
 * noreturn function may be the last instruction of its caller.
 */
export function callSiteBefore(reader: CodeReader, returnAddress: bigint): CallSite | null {
  const code = reader.functionAt(returnAddress - 1n);
  if (code === null) return null;
  const index = code.indexEndingAt(returnAddress);
  if (index < 0) return null;
  return callSiteOf(reader, code, code.instructions[index]!);
}

/** `instruction` of `code` as a call site, or null where it is no call. */
export function callSiteOf(reader: CodeReader, code: FunctionCode, instruction: Instruction): CallSite | null {
  if (instruction.flow !== "call" && instruction.flow !== "indirect-call") return null;
  const isThunk =
    instruction.target === null ||
    isIndirectThunk(reader, instruction.target) ||
    isInlineThunk(code, instruction.target);
  const target = isThunk ? null : instruction.target;
  return {
    instruction,
    returnAddress: instruction.address + BigInt(instruction.length),
    caller: code.range,
    target,
  };
}

/**
 * Retpolines: a direct call to a thunk that jumps to what a register holds is an indirect call. Told by name, since the
 * thunk's body differs by mitigation; the names are fixed by the compiler's -mindirect-branch=thunk-extern
 * (arch/x86/lib/retpoline.S).
 */
export function isIndirectThunk(reader: CodeReader, target: bigint): boolean {
  const symbol = reader.symbols.byAddress(target)?.symbol;
  return symbol !== undefined && /^(__x86_indirect_(call_|jump_)?thunk_|__x86_indirect_its_thunk_)/.test(symbol.name);
}

/**
 * Retpolines that assembler has in place (`CALL_NOSPEC` up to 5.4, arch/x86/include/asm/nospec-branch.h): a call within the
 * function to a call, behind which the return address is overwritten with what a register holds, and a return goes there.
 */
function isInlineThunk(code: FunctionCode, target: bigint): boolean {
  if (target <= code.range.start || target >= code.range.end) return false;
  const inner = code.instructions[code.indexAt(target)];
  if (inner?.flow !== "call" || inner.target === null) return false;
  const at = code.indexAt(inner.target);
  const store = code.instructions[at];
  const [to, from] = store?.operands ?? [];
  const overwrites =
    store?.mnemonic === "mov" && to?.kind === "memory" && to.base === "rsp" && from?.kind === "register";
  return at >= 0 && overwrites && code.instructions[at + 1]?.flow === "return";
}

export type Reach =
  /** The direct call targets this function. */
  | "direct"
  /** The direct call targets a function (or trampoline) that jumps on to this one. */
  | "tail-jump"
  /** An indirect call, or a tail jump through a register: can reach it. */
  | "indirect"
  | "no";

/** Tail jumps followed one after the other; static-call and ftrace trampolines take one each. */
const MAX_TAIL_JUMPS = 4;

/**
 * Can the call at `site` have entered the frame of `callee`? A callee in a split-off part (`foo.cold`) counts as `foo`.
 */
export function callReaches(reader: CodeReader, site: CallSite, callee: FunctionRange): Reach {
  if (site.target === null) return "indirect";
  const entries = entryRanges(reader, callee);
  if (entries.some((range) => contains(range, site.target!))) return "direct";
  return tailReaches(reader, site.target, entries);
}

function contains(range: FunctionRange, address: bigint): boolean {
  return address >= range.start && address < range.end;
}

/** Ranges whose entry leads into `callee`'s frame: itself, and for a `.cold` part the function it was split from. */
function entryRanges(reader: CodeReader, callee: FunctionRange): FunctionRange[] {
  const cold = /^(.*)\.cold(\.\d+)?$/.exec(callee.name);
  if (cold === null) return [callee];
  const ranges = [callee];
  for (const symbol of reader.symbols.allByName(cold[1]!)) {
    const range = reader.symbols.functionAt(symbol.address);
    if (range !== null && range.module === callee.module) ranges.push(range);
  }
  return ranges;
}

function tailReaches(reader: CodeReader, start: bigint, wanted: readonly FunctionRange[]): Reach {
  const seen = new Set<bigint>([start]);
  let frontier: bigint[] = [start];
  let through: Reach = "no";
  for (let step = 0; step < MAX_TAIL_JUMPS && frontier.length > 0; step++) {
    const next: bigint[] = [];
    for (const address of frontier) {
      const jumps = tailJumps(reader, address);
      if (jumps.indirect) through = "indirect";
      for (const target of jumps.targets) {
        if (wanted.some((range) => contains(range, target))) return "tail-jump";
        if (seen.has(target)) continue;
        seen.add(target);
        next.push(target);
      }
    }
    frontier = next;
  }
  return through;
}

/** Jumps by which the function at `address` leaves itself for good. */
export function tailJumps(reader: CodeReader, address: bigint): { targets: bigint[]; indirect: boolean } {
  const code = reader.functionAt(address);
  const targets: bigint[] = [];
  let indirect = false;
  if (code === null) {
    // No symbol (an ftrace or BPF trampoline): whatever it does, it is not for us to rule out.
    return { targets, indirect: true };
  }
  let pushed = false;
  for (const instruction of code.instructions) {
    // A return to what was just pushed is a jump to it, one that IBT does not watch over.
    if (pushed && leavesByReturn(reader, instruction)) indirect = true;
    pushed = instruction.mnemonic === "push";
    if (instruction.flow === "jump" || instruction.flow === "conditional") {
      const target = instruction.target;
      if (target === null || contains(code.range, target)) continue;
      if (isReturnThunk(reader, target)) continue;
      if (isIndirectThunk(reader, target)) indirect = true;
      else targets.push(target);
    } else if (instruction.flow === "indirect-jump") {
      // A jump table's jump stays inside; there is no telling, and kernels build with -fno-jump-tables under retpolines.
      indirect = true;
    }
  }
  return { targets, indirect };
}

function leavesByReturn(reader: CodeReader, instruction: Instruction): boolean {
  if (instruction.flow === "return") return true;
  return instruction.flow === "jump" && instruction.target !== null && isReturnThunk(reader, instruction.target);
}

/** `jmp __x86_return_thunk` is a return (arch/x86/lib/retpoline.S, since 6.0; srso_/retbleed_ variants patched in). */
export function isReturnThunk(reader: CodeReader, target: bigint): boolean {
  const symbol = reader.symbols.byAddress(target)?.symbol;
  return symbol !== undefined && /(_return_thunk$|^zen_untrain_ret|_untrain_ret$|its_return_thunk$)/.test(symbol.name);
}

/** All call sites in the function that holds `address`. */
export function callSitesIn(reader: CodeReader, address: bigint): CallSite[] {
  const code = reader.functionAt(address);
  if (code === null) return [];
  const sites: CallSite[] = [];
  for (const instruction of code.instructions) {
    const site = callSiteOf(reader, code, instruction);
    if (site !== null) sites.push(site);
  }
  return sites;
}
