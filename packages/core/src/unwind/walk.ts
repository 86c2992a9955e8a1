/** A strict walk outwards: it goes on only while every link is proven, and says where and why it stopped. */
import { isIndirectThunk, tailJumps } from "../code/call-site.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import type { BacktraceEnd } from "./backtrace.ts";
import { callerOfDynamicCode } from "./dynamic-code.ts";
import { checkLink, hex } from "./link.ts";
import { PT_REGS_SIZE } from "./pt-regs.ts";
import { stepOut } from "./sources.ts";
import type { WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";

export interface WalkedFrame {
  readonly state: WalkState;
  /** Null where the frame's extent is not known. */
  readonly cfa: bigint | null;
}

/** A link that does not hold. */
export interface BrokenLink {
  /** Callee whose return address it is; null where not known (a jump to no code). */
  readonly callee: FunctionRange | null;
  /** CFA of the callee; its return address should lie at cfa - 8. Null where unknown. */
  readonly cfa: bigint | null;
  /** What lies there. */
  readonly found: bigint | null;
  readonly reason: string;
  /** Registers that the caller would have. */
  readonly registers: ReadonlyMap<string, bigint>;
  /** The callee's own state. */
  readonly state: WalkState;
  /** It leads into code made at run time: nothing need be wrong. */
  readonly dynamic?: boolean;
}

export interface Walk {
  readonly frames: readonly WalkedFrame[];
  readonly end: BacktraceEnd;
  readonly userRegs: bigint | null;
  readonly broken: BrokenLink | null;
}

/** More frames than any stack can hold (16 bytes each on 64 KiB and the IRQ and exception stacks besides). */
const MAX_FRAMES = 16384;

/** Walks from `start` to the end of the stack, or to the first link that is not proven. */
export function walkStrict(context: UnwindContext, start: WalkState): Walk {
  const frames: WalkedFrame[] = [];
  const seen = new Set<bigint>();
  let state = start;
  while (frames.length < MAX_FRAMES) {
    const callee = context.functionAt(state.exact ? state.pc : state.pc - 1n);
    const loops = seen.has(state.sp) && !state.exact;
    seen.add(state.sp);
    if (loops) return lost(frames, brokenAt(callee, null, null, "the stack pointer comes back to where it was", state));
    if (state.exact && !context.kernel.symbols.isText(state.pc)) {
      const next = leaveNonCode(context, state, frames);
      if ("broken" in next) return next;
      state = next;
      continue;
    }
    const step = stepOut(context, state);
    if (step.kind === "lost") {
      frames.push({ state, cfa: null });
      return lost(frames, brokenAt(callee, null, null, step.reason, state));
    }
    if (step.kind === "end") {
      frames.push({ state, cfa: null });
      return { frames, end: step.userRegs === null ? "kernel-entry" : "user", userRegs: step.userRegs, broken: null };
    }
    frames.push({ state, cfa: step.cfa });
    if (step.kind === "regs") {
      const rip = step.regs.get("rip")!;
      const sp = step.regs.get("rsp")!;
      const top = context.stackAt(step.regsAt)?.high;
      if (rip === 0n && top !== undefined && top - step.regsAt <= BigInt(PT_REGS_SIZE + 16)) {
        // The blank register frame at the top of a kernel thread's stack.
        return { frames, end: "kernel-entry", userRegs: null, broken: null };
      }
      const registers = step.full ? step.regs : new Map([...state.registers, ...step.regs]);
      state = { pc: rip, exact: true, sp, registers };
      continue;
    }
    if (step.cfa <= state.sp && context.stackAt(step.cfa)?.low === context.stackAt(state.sp)?.low) {
      return lost(frames, brokenAt(callee, null, null, `the frame would end at ${hex(step.cfa)}, below itself`, state));
    }
    let link = checkLink(context, step.cfa - 8n, callee);
    let { cfa } = step;
    if (!link.ok && callee !== null && isIndirectThunk(context.reader, callee.start)) {
      // Retpolines (arch/x86/lib/retpoline.S) call into themselves and overwrite the return address of that inner call with
      // the target: for one instruction the true return address is the word above.
      const above = checkLink(context, cfa, callee);
      if (above.ok) {
        link = above;
        cfa += 8n;
      }
    }
    if (!link.ok && link.dynamic === true && link.found !== null) {
      const caller = callerOfDynamicCode(context, step.cfa);
      if (caller !== null) {
        const registers = step.registers;
        frames.push({ state: { pc: link.found, exact: false, sp: step.cfa, registers }, cfa: caller + 8n });
        state = { pc: context.kernel.memory.u64(caller)!, exact: false, sp: caller + 8n, registers };
        continue;
      }
    }
    if (!link.ok) {
      const broken = {
        callee,
        cfa: step.cfa,
        found: link.found,
        reason: link.reason,
        registers: step.registers,
        state,
        dynamic: link.dynamic === true,
      };
      return lost(frames, broken);
    }
    state = { pc: link.returnAddress, exact: false, sp: cfa, registers: step.registers };
  }
  return lost(frames, brokenAt(null, null, null, `more than ${MAX_FRAMES} frames`, state));
}

/**
 * The CPU stands where there is no code. If it came by a call through a bad pointer, the return address is the last word
 * pushed; otherwise a `ret` took it there, and the word it returned to lies just below RSP.
 */
function leaveNonCode(context: UnwindContext, state: WalkState, frames: WalkedFrame[]): WalkState | Walk {
  const link = checkLink(context, state.sp, null);
  const called = link.ok && (link.reach === "indirect" || jumpsOnThroughPointer(context, link.returnAddress));
  frames.push({ state, cfa: called ? state.sp + 8n : state.sp });
  if (called) return { pc: link.returnAddress, exact: false, sp: state.sp + 8n, registers: state.registers };
  return lost(frames, {
    callee: null,
    cfa: state.sp,
    found: state.pc,
    reason: `the CPU went to ${hex(state.pc)}, where there is no code, and no call through a pointer took it there`,
    registers: state.registers,
    state,
  });
}

/** Did the call before this return address go to a function that ends in a jump through a pointer? */
function jumpsOnThroughPointer(context: UnwindContext, returnAddress: bigint): boolean {
  const target = context.callSite(returnAddress)?.target ?? null;
  return target !== null && tailJumps(context.reader, target).indirect;
}

function brokenAt(
  callee: FunctionRange | null,
  cfa: bigint | null,
  found: bigint | null,
  reason: string,
  state: WalkState,
): BrokenLink {
  return { callee, cfa, found, reason, registers: new Map(state.registers).set("rsp", state.sp), state };
}

function lost(frames: readonly WalkedFrame[], broken: BrokenLink): Walk {
  return { frames, end: "lost", userRegs: null, broken };
}
