/** Backtraces: proven frames, inferred ones where the stack is destroyed, stale return addresses apart. */
import type { Kernel, Task } from "../kernel/kernel.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import type { Backtrace, Frame } from "./backtrace.ts";
import { hex } from "./link.ts";
import { recover } from "./recover.ts";
import { staleReturns } from "./stale.ts";
import { type Start, startFromNote, startOf } from "./start.ts";
import type { WalkState } from "./step.ts";
import { type UnwindContext, unwindContext } from "./unwind-context.ts";
import { type BrokenLink, type WalkedFrame, walkStrict } from "./walk.ts";

/** A task by its `struct task_struct *`, or whatever a CPU was doing. */
export type BacktraceTarget = { readonly task: bigint } | { readonly cpu: number };

/** A backtrace with what the diagnosis needs beyond it. */
export interface DetailedBacktrace extends Backtrace {
  /** The first link that did not hold, with what the stack holds there; null where all are proven. */
  readonly broken: BrokenLink | null;
  /** Index in `frames` of the callee whose return address it is, or null. */
  readonly brokenFrame: number | null;
  /** Frames missing between inferred and proven ones, in words. */
  readonly gap: string | null;
  /** The broken frame's true CFA where its code ran on a frame that its own entry did not build (see recover.ts). */
  readonly displaced: bigint | null;
  /** The function whose return led to no code, as far as the recovered caller tells (see recover.ts). */
  readonly returned: FunctionRange | null;
}

/**
 * The backtrace of a task or CPU. Never throws for what the dump lacks: the walk then ends as `lost`, with the reason.
 */
export function backtrace(kernel: Kernel, target: BacktraceTarget): DetailedBacktrace {
  const context = unwindContext(kernel);
  const cpu =
    "cpu" in target
      ? (kernel.cpus.find((candidate) => candidate.number === target.cpu) ?? null)
      : // A panic takes the other CPUs offline, yet what they ran is what they were running.
        (kernel.cpus.find((candidate) => candidate.currentTask === target.task) ?? null);
  const address = "task" in target ? target.task : (cpu?.currentTask ?? null);
  const task: Task | null = address === null ? null : kernel.task(address);
  const where = { task: address, cpu: cpu?.number ?? null };
  let start: Start;
  if (task !== null) start = startOf(context, task, cpu);
  else if (cpu?.registers) start = startFromNote(cpu.registers);
  else return { ...nothing(where, "note"), stopped: "no registers and no readable task" };
  if (start.userMode) return { ...nothing(where, start.source), end: "user" };
  if (start.state === null) {
    return {
      ...nothing(where, start.source),
      stopped: "nothing to start from: its registers or stack are not in the dump",
    };
  }
  return { ...where, source: start.source, ...follow(context, start.state) };
}

function nothing(where: { task: bigint | null; cpu: number | null }, source: Backtrace["source"]): DetailedBacktrace {
  return {
    ...where,
    source,
    frames: [],
    end: "lost",
    stopped: null,
    userRegs: null,
    broken: null,
    brokenFrame: null,
    gap: null,
    displaced: null,
    returned: null,
  };
}

type Followed = Omit<DetailedBacktrace, "task" | "cpu" | "source">;

/** Calls through pointers that are doubted again, from the break inwards. */
const MAX_DOUBTED = 3;

/** Nothing was recovered, or nothing needed to be. */
const UNTOUCHED = { broken: null, brokenFrame: null, gap: null, displaced: null, returned: null };

/** Walks from a state to the end of the stack, recovering over destroyed links. */
export function follow(context: UnwindContext, start: WalkState): Followed {
  const walk = walkStrict(context, start);
  const toFrames = (walked: readonly WalkedFrame[]) =>
    walked.map((frame) => toFrame(context, frame.state, frame.cfa, null));
  if (walk.broken === null) {
    return { ...UNTOUCHED, frames: toFrames(walk.frames), end: walk.end, stopped: null, userRegs: walk.userRegs };
  }
  const { kept, broken, recovery } = recoverWithDoubt(context, walk.frames, walk.broken);
  const frames: Frame[] = toFrames(kept);
  const brokenFrame = frames.length - 1;
  if (recovery === null) {
    return { ...UNTOUCHED, frames, end: "lost", stopped: broken.reason, userRegs: null, broken, brokenFrame };
  }
  for (const inferred of recovery.inferred) {
    const frame = toFrame(context, inferred.state, inferred.cfa, inferred.why);
    frames.push(inferred.entered === true ? { ...frame, offset: null, interrupted: false } : frame);
  }
  frames.push(...toFrames(recovery.rest.frames));
  const { end, userRegs } = recovery.rest;
  const { gap, displaced, returned } = recovery;
  return { frames, end, stopped: end === "lost" ? gap : null, userRegs, broken, brokenFrame, gap, displaced, returned };
}

/**
 * Recovers at the break; where that leaves a gap, also at the calls through pointers just before it. What was overwritten
 * with code addresses passes for a call through a pointer, since such a call can reach anything: then the frame after it is
 * wrong, and the true break lies further in.
 */
function recoverWithDoubt(context: UnwindContext, walked: readonly WalkedFrame[], broken: BrokenLink) {
  const atBreak = { kept: walked, broken, recovery: recover(context, broken) };
  if (atBreak.recovery !== null && atBreak.recovery.gap === null) return atBreak;
  for (let index = walked.length - 2; index >= Math.max(0, walked.length - 1 - MAX_DOUBTED); index--) {
    const { state, cfa } = walked[index]!;
    const next = walked[index + 1]!.state;
    if (cfa === null || next.exact || context.callSite(next.pc)?.target !== null) break;
    const doubted: BrokenLink = {
      callee: context.functionAt(state.exact ? state.pc : state.pc - 1n),
      cfa,
      found: next.pc,
      reason: `${hex(next.pc)} is a return address, but not one from which the stack can be followed`,
      registers: next.registers,
      state,
    };
    const recovery = recover(context, doubted);
    if (recovery !== null && recovery.gap === null) {
      return { kept: walked.slice(0, index + 1), broken: doubted, recovery };
    }
  }
  return atBreak;
}

function toFrame(context: UnwindContext, state: WalkState, cfa: bigint | null, why: string | null): Frame {
  const range = context.functionAt(state.exact ? state.pc : state.pc - 1n);
  return {
    function: range?.name ?? null,
    module: range?.module ?? null,
    start: range?.start ?? null,
    offset: range === null ? null : Number(state.pc - range.start),
    address: state.pc,
    sp: state.sp,
    cfa,
    interrupted: state.exact,
    certainty: why === null ? "proven" : "inferred",
    why,
    stack: context.stackAt(state.sp),
    registers: state.registers,
  };
}

/**
 * Return addresses that lie in the frames' stacks (from each stack's innermost frame to its top) and belong to no frame.
 */
export function staleReturnsOf(kernel: Kernel, trace: Backtrace) {
  const context = unwindContext(kernel);
  const live = new Set(trace.frames.filter((frame) => !frame.interrupted).map((frame) => frame.sp - 8n));
  const lowest = new Map<bigint, { low: bigint; high: bigint }>();
  for (const frame of trace.frames) {
    if (frame.stack === null) continue;
    const known = lowest.get(frame.stack.low);
    const low = known === undefined || frame.sp < known.low ? frame.sp : known.low;
    lowest.set(frame.stack.low, { low, high: frame.stack.high });
  }
  return [...lowest.values()].flatMap((range) => staleReturns(context, range.low, range.high, live));
}
