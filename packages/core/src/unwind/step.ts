/**
 * One step outwards by ORC, or by the code itself: from a frame's registers to where its caller's must lie. Which of the
 * sources is asked is for sources.ts; whether what lies there can be believed, for link.ts.
 *
 * The rules are those of the kernel's own unwinder (arch/x86/kernel/unwind_orc.c, unwind_next_frame()).
 */
import { isIndirectThunk } from "../code/call-site.ts";
import { frameLayoutOf } from "../code/cold-layout.ts";
import { CALLEE_SAVED, type FrameState } from "../code/frame-layout.ts";
import type { OrcEntry } from "./orc.ts";
import { IRET_FRAME_OFFSET, isUserMode, type PtRegs, readIretFrame, readPtRegs } from "./pt-regs.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** Where a walk stands. */
export interface WalkState {
  /** Exact IP or return address. */
  readonly pc: bigint;
  /** `pc` is exact (interrupted here), not a return address. */
  readonly exact: boolean;
  readonly sp: bigint;
  /** Registers known in this frame, RBP mostly. */
  readonly registers: ReadonlyMap<string, bigint>;
}

export type Step =
  /** A call: the return address lies at cfa - 8. */
  | { readonly kind: "call"; readonly cfa: bigint; readonly registers: ReadonlyMap<string, bigint> }
  /** Interrupted: the registers of the interrupted context. */
  | {
      readonly kind: "regs";
      readonly cfa: bigint;
      readonly regsAt: bigint;
      readonly regs: PtRegs;
      readonly full: boolean;
    }
  | { readonly kind: "end"; readonly userRegs: bigint | null }
  | { readonly kind: "lost"; readonly reason: string };

/** The step that ORC tells; null where it tells nothing. */
export function stepByOrc(context: UnwindContext, state: WalkState): Step | null {
  const lookup = state.exact ? state.pc : state.pc - 1n;
  const entry = context.orcAt(lookup);
  if (entry === null || entry.type === "undefined") return null;
  if (entry.type === "end") return stepOutOfThunk(context, state) ?? { kind: "end", userRegs: null };
  const cfa = canonicalFrame(context, state, entry);
  if (cfa === null) {
    return {
      kind: "lost",
      reason: `the frame of ${name(context, lookup)} hangs on ${entry.spRegister}, which is not known`,
    };
  }
  // ORC holds offsets of 16 bits, signed: a frame of 32 KiB or more wraps around, and only the code tells its size.
  if (entry.type === "call" && cfa <= state.sp && entry.spRegister === "sp") return null;
  if (entry.type === "call") return { kind: "call", cfa, registers: callerRegisters(context, state, cfa, entry) };
  return registersFrame(context, entry, cfa);
}

/**
 * Retpolines (arch/x86/lib/retpoline.S) have ORC entries that say "end of stack" for all but their `ret`. They keep no frame:
 * the caller's return address is the last word pushed, or the one above while their inner call is on the stack.
 */
function stepOutOfThunk(context: UnwindContext, state: WalkState): Step | null {
  const thunk = context.functionAt(state.exact ? state.pc : state.pc - 1n);
  if (thunk === null || !isIndirectThunk(context.reader, thunk.start)) return null;
  for (const depth of [8n, 16n]) {
    const found = context.kernel.memory.u64(state.sp + depth - 8n);
    const site = found === null ? null : context.callSite(found);
    if (site === null || site.caller.start === thunk.start) continue;
    return { kind: "call", cfa: state.sp + depth, registers: state.registers };
  }
  return null;
}

function name(context: UnwindContext, address: bigint): string {
  return context.functionAt(address)?.name ?? `0x${address.toString(16)}`;
}

const BASES = new Map([
  ["bp", "rbp"],
  ["bp-indirect", "rbp"],
  ["r10", "r10"],
  ["r13", "r13"],
  ["di", "rdi"],
  ["dx", "rdx"],
]);

function canonicalFrame(context: UnwindContext, state: WalkState, entry: OrcEntry): bigint | null {
  const { memory } = context.kernel;
  const offset = BigInt(entry.spOffset);
  if (entry.spRegister === "sp") return state.sp + offset;
  if (entry.spRegister === "sp-indirect") {
    const base = memory.u64(state.sp);
    return base === null ? null : base + offset;
  }
  const base = state.registers.get(BASES.get(entry.spRegister) ?? "");
  if (base === undefined) return null;
  if (entry.spRegister === "bp") return base + offset;
  if (entry.spRegister === "bp-indirect") return memory.u64(base + offset);
  return base;
}

function registersFrame(context: UnwindContext, entry: OrcEntry, cfa: bigint): Step {
  const { memory } = context.kernel;
  const full = entry.type === "regs";
  const regsAt = full ? cfa : cfa - BigInt(IRET_FRAME_OFFSET);
  const regs = full ? readPtRegs(memory, regsAt) : readIretFrame(memory, cfa);
  if (regs === null)
    return { kind: "lost", reason: `the saved registers at 0x${regsAt.toString(16)} are not in the dump` };
  if (isUserMode(regs)) return { kind: "end", userRegs: full ? regsAt : null };
  return { kind: "regs", cfa, regsAt, regs, full };
}

/** The frame layout's state at the instruction that `state` is in. */
export function layoutAt(context: UnwindContext, pc: bigint, exact: boolean): FrameState | null {
  const code = context.reader.functionAt(exact ? pc : pc - 1n);
  if (code === null) return null;
  const index = exact ? code.indexAt(pc) : code.indexEndingAt(pc);
  return index < 0 ? null : (frameLayoutOf(context.reader, code)[index] ?? null);
}

/** Callee-saved registers as the caller has them: read back from where this function saved them, else unchanged. */
export function callerRegisters(
  context: UnwindContext,
  state: WalkState,
  cfa: bigint,
  entry: OrcEntry | null,
  layout: FrameState | null = layoutAt(context, state.pc, state.exact),
): ReadonlyMap<string, bigint> {
  const { memory } = context.kernel;
  const registers = new Map<string, bigint>();
  for (const register of CALLEE_SAVED) {
    const depth = layout?.saved.get(register);
    let value: bigint | null | undefined;
    if (register === "rbp" && entry !== null) value = callerRbp(context, state, cfa, entry);
    else if (depth !== undefined) value = memory.u64(cfa - BigInt(depth));
    else if (layout !== null) value = state.registers.get(register);
    if (value !== null && value !== undefined) registers.set(register, value);
  }
  return registers;
}

function callerRbp(context: UnwindContext, state: WalkState, cfa: bigint, entry: OrcEntry): bigint | null | undefined {
  const offset = BigInt(entry.bpOffset);
  if (entry.bpRegister === "prev-sp") return context.kernel.memory.u64(cfa + offset);
  if (entry.bpRegister === "bp") {
    const rbp = state.registers.get("rbp");
    return rbp === undefined ? undefined : context.kernel.memory.u64(rbp + offset);
  }
  return state.registers.get("rbp");
}

/** Follows the function's own pushes and subtractions. */
export function stepByCode(context: UnwindContext, state: WalkState): Step {
  const layout = layoutAt(context, state.pc, state.exact);
  const rbp = state.registers.get("rbp");
  let cfa: bigint | null = null;
  if (layout?.rspDepth != null) cfa = state.sp + BigInt(layout.rspDepth);
  else if (layout?.rbpDepth != null && rbp !== undefined) cfa = rbp + BigInt(layout.rbpDepth);
  if (cfa === null) return { kind: "lost", reason: `no unwind data for ${name(context, state.pc)}` };
  return { kind: "call", cfa, registers: callerRegisters(context, state, cfa, null) };
}

/** RSP at the call that returns to `returnAddress`, as bytes below that function's CFA; null where it cannot be told. */
export function frameSizeAtCall(context: UnwindContext, returnAddress: bigint): number | null {
  const entry = context.orcAt(returnAddress - 1n);
  if (entry?.type === "call" && entry.spRegister === "sp" && entry.spOffset > 0) return entry.spOffset;
  return layoutAt(context, returnAddress, false)?.rspDepth ?? null;
}
