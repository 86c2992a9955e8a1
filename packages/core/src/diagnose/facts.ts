/** What happened, as the frames tell it: before any opinion on why. */
import type { Cpu, Kernel, Task } from "../kernel/kernel.ts";
import type { Frame } from "../unwind/backtrace.ts";
import { backtrace, type DetailedBacktrace } from "../unwind/unwind.ts";
import { type UnwindContext, unwindContext } from "../unwind/unwind-context.ts";
import { EvidenceLog } from "./evidence.ts";

/** An exception that hit kernel code. */
export interface Fault {
  /** Index in `frames` of the frame that was hit. */
  readonly index: number;
  readonly frame: Frame;
  /** The entry code's symbol (`asm_exc_page_fault`, `double_fault`, …), or null where its frames are not in the trace. */
  readonly entry: string | null;
  readonly kind: "double-fault" | "page-fault" | "invalid-opcode" | "general-protection" | "other";
}

export interface CrashFacts {
  readonly kernel: Kernel;
  readonly context: UnwindContext;
  readonly evidence: EvidenceLog;
  readonly cpu: Cpu | null;
  readonly task: Task | null;
  readonly trace: DetailedBacktrace;
  readonly frames: readonly Frame[];
  /** The innermost exception on the way to the crash, or null (a panic that code called by itself). */
  readonly fault: Fault | null;
  /** Index of the frame whose canary check failed (the caller of `__stack_chk_fail`), or null. */
  readonly detector: number | null;
  /** Index of the frame that called panic(), or null. */
  readonly panicCaller: number | null;
}

/**
 * Exception entry symbols: `asm_exc_*` since 5.8 (arch/x86/include/asm/idtentry.h), the bare names before. Interrupts
 * (`asm_sysvec_*`, `asm_common_interrupt`) are no faults; an NMI may be how other CPUs are stopped.
 */
const EXCEPTION_ENTRY =
  /^(asm_exc_(?!nmi)\w+|(async_)?page_fault|double_fault|general_protection|invalid_op|stack_segment|segment_not_present|alignment_check|divide_error|paranoid_\w+)$/;

export function isExceptionEntry(name: string): boolean {
  return EXCEPTION_ENTRY.test(name);
}

function faultKind(entry: string): Fault["kind"] {
  if (/double_fault/.test(entry)) return "double-fault";
  if (/page_fault/.test(entry)) return "page-fault";
  if (/invalid_op/.test(entry)) return "invalid-opcode";
  if (/general_protection/.test(entry)) return "general-protection";
  return "other";
}

/** Functions on the way from panic() to the crash kernel; a CPU found in them was not stopped by an exception. */
const PANIC_PATH = new Set(["panic", "vpanic", "__crash_kexec", "crash_kexec", "machine_kexec", "nmi_panic"]);

/** x86 exception vectors (arch/x86/include/asm/trapnr.h). */
const TRAPS = new Map<number, Fault["kind"]>([
  [6, "invalid-opcode"],
  [8, "double-fault"],
  [13, "general-protection"],
  [14, "page-fault"],
]);

/**
 * The registers that a crash kernel saves after an oops are those of the exception itself (crash_kexec(regs) from
 * oops_end(), arch/x86/kernel/dumpstack.c): then the trace begins at the fault, and its handlers are not in it. Which
 * exception it was, the task remembers in thread.trap_nr.
 */
function faultAtStart(kernel: Kernel, task: Task | null, frames: readonly Frame[]): Fault | null {
  const frame = frames[0];
  // QEMU's notes have control registers, and hold what a CPU was doing when the dump was asked for, long after the fault.
  if (kernel.image.cpuNotes.some((note) => note.control !== null)) return null;
  if (frame === undefined || !frame.interrupted || kernel.panic.message === null) return null;
  if (frames.some((one) => one.function !== null && PANIC_PATH.has(one.function))) return null;
  const member = kernel.types.member("task_struct", "thread.trap_nr");
  const trap = member === null || task === null ? null : kernel.memory.u32(task.address + BigInt(member.offset));
  return { index: 0, frame, entry: null, kind: (trap === null ? undefined : TRAPS.get(trap)) ?? "other" };
}

function findFault(frames: readonly Frame[]): Fault | null {
  for (let index = 1; index < frames.length; index++) {
    const entry = frames[index - 1]!.function;
    if (!frames[index]!.interrupted || entry === null || !EXCEPTION_ENTRY.test(entry)) continue;
    return { index, frame: frames[index]!, entry, kind: faultKind(entry) };
  }
  return null;
}

/** The frame after the first one in a function of that name; both must lie before `limit`. */
function callerOf(frames: readonly Frame[], name: string, limit: number): number | null {
  const index = frames.findIndex((frame) => frame.function === name);
  return index >= 0 && index + 1 < Math.min(limit, frames.length) ? index + 1 : null;
}

const traces = new WeakMap<Kernel, DetailedBacktrace>();

/** The backtrace of the task that panicked, or of what its CPU was doing; made once, since recovery may take long. */
export function crashTrace(kernel: Kernel): DetailedBacktrace {
  let trace = traces.get(kernel);
  if (trace === undefined) {
    const { panic } = kernel;
    const task = panic.task ?? kernel.cpus.find((cpu) => cpu.number === panic.cpu)?.currentTask ?? null;
    trace = backtrace(kernel, task !== null ? { task } : { cpu: panic.cpu ?? 0 });
    traces.set(kernel, trace);
  }
  return trace;
}

/** Gathers the crash's frames and how it came about. */
export function gatherFacts(kernel: Kernel): CrashFacts {
  const evidence = new EvidenceLog();
  const context = unwindContext(kernel);
  const { panic } = kernel;
  const cpu = kernel.cpus.find((candidate) => candidate.number === panic.cpu) ?? null;
  const address = panic.task ?? cpu?.currentTask ?? null;
  const task = address === null ? null : kernel.task(address);
  const trace = crashTrace(kernel);
  const { frames } = trace;
  const fault = findFault(frames) ?? faultAtStart(kernel, task, frames);
  const limit = fault === null ? frames.length : fault.index;
  if (panic.message !== null) evidence.add("panic-message", null, `The kernel said: ${panic.message}`);
  if (address !== null && task === null) {
    evidence.miss(
      "The crashed task's task_struct is not in the dump: its name, canary and stack are told by other means.",
    );
  }
  if (trace.stopped !== null) evidence.miss(`The backtrace stops: ${trace.stopped}.`);
  if (trace.gap !== null) evidence.miss(`In the backtrace ${trace.gap}.`);
  return {
    kernel,
    context,
    evidence,
    cpu,
    task,
    trace,
    frames,
    fault,
    detector: callerOf(frames, "__stack_chk_fail", limit),
    panicCaller: callerOf(frames, "panic", limit),
  };
}

/** "parse_packet+127 [vandal]". */
export function frameName(frame: Frame): string {
  if (frame.function === null) return `0x${frame.address.toString(16)}`;
  return frame.module === null ? frame.function : `${frame.function} [${frame.module}]`;
}
