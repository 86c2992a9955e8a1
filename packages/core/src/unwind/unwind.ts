/** Backtraces: proven frames, inferred ones where the stack is destroyed, stale return addresses apart. */
import type { Kernel, Task } from "../kernel/kernel.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import type { Backtrace, Frame } from "./backtrace.ts";
import { type Recovery, recover } from "./recover.ts";
import { staleReturns } from "./stale.ts";
import { type Start, startFromNote, startOf } from "./start.ts";
import type { WalkState } from "./step.ts";
import { type UnwindContext, unwindContext } from "./unwind-context.ts";
import { type BrokenLink, walkStrict } from "./walk.ts";

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
      : (kernel.cpus.find((candidate) => candidate.currentTask === target.task && candidate.online) ?? null);
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

/** Walks from a state to the end of the stack, recovering over destroyed links. */
export function follow(context: UnwindContext, start: WalkState): Followed {
  const walk = walkStrict(context, start);
  const frames: Frame[] = walk.frames.map((frame) => toFrame(context, frame.state, frame.cfa, null));
  if (walk.broken === null) {
    const { end, userRegs } = walk;
    return {
      frames,
      end,
      stopped: null,
      userRegs,
      broken: null,
      brokenFrame: null,
      gap: null,
      displaced: null,
      returned: null,
    };
  }
  const { broken } = walk;
  const brokenFrame = frames.length - 1;
  const recovery: Recovery | null = recover(context, broken);
  if (recovery === null) {
    return {
      frames,
      end: "lost",
      stopped: broken.reason,
      userRegs: null,
      broken,
      brokenFrame,
      gap: null,
      displaced: null,
      returned: null,
    };
  }
  for (const inferred of recovery.inferred) {
    const frame = toFrame(context, inferred.state, inferred.cfa, inferred.why);
    frames.push(inferred.entered === true ? { ...frame, offset: null, interrupted: false } : frame);
  }
  for (const proven of recovery.rest.frames) frames.push(toFrame(context, proven.state, proven.cfa, null));
  const { end, userRegs } = recovery.rest;
  const { gap, displaced, returned } = recovery;
  const stopped = end === "lost" ? gap : null;
  return { frames, end, stopped, userRegs, broken, brokenFrame, gap, displaced, returned };
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
