/** The call chain of a crash, as far as its log vouches for it. */
import type { CallTrace, CodePlace, ConsoleCrash, StackMarker, TraceEntry } from "./console/report.ts";
import { sameFunction } from "./place-name.ts";

export interface LogFrame extends CodePlace {
  readonly marker: StackMarker | null;
  readonly sp: bigint | null;
  /** Registers were saved here: the address is that of an instruction, not a return address. */
  readonly interrupted: boolean;
  readonly inlined: boolean;
  /** What vouches for it: the CPU's own registers, the kernel's unwinder, crash's `bt`, or the listed call. */
  readonly source: "registers" | "unwinder" | "crash" | "call-site";
}

export interface LogFrames {
  /** Innermost first. */
  readonly frames: readonly LogFrame[];
  /** Entries that the unwinder did not vouch for, innermost first. */
  readonly stale: readonly TraceEntry[];
  /** The trace that they were taken from; null where there is none. */
  readonly trace: CallTrace | null;
  /** Does the chain come to its natural end: user mode, or the start of a thread? */
  readonly complete: boolean;
}

/** Where kernel stacks begin. */
const OUTERMOST =
  /^(?:entry_SYSCALL|entry_SYSENTER|entry_INT80|system_call|sysenter|syscall_call|ret_from_fork|kernel_thread_helper|child_rip|kthread$|secondary_startup|common_startup|start_secondary|x86_64_start|start_kernel|rest_init|el0|el0t_|ret_fast_syscall|ret_to_user|__primary_switched|__secondary_switched|cpu_startup_entry|system_call_exception|ret_from_kernel|handle_exception|ret_from_exception|asm_exc_page_fault)/;

export function logFrames(crash: ConsoleCrash): LogFrames {
  const { registers } = crash;
  const pc = registers?.userMode === false ? registers.pc : null;
  const trace = chooseTrace(crash, pc);
  const all = trace?.entries ?? [];
  // A trace that was printed from within the handler holds the handler's frames too, and then the registers again.
  const hit = pc === null ? -1 : all.findIndex((entry) => entry.interrupted && sameFunction(entry, pc));
  const entries = hit >= 0 ? all.slice(hit + 1) : all;
  const live = entries.filter((entry) => !entry.stale);
  const frames: LogFrame[] = [];
  if (pc !== null && registers !== null) {
    const marker = entries[0]?.marker ?? null;
    frames.push({ ...pc, marker, sp: registers.sp, interrupted: true, inlined: false, source: "registers" });
  }
  // Symbolizers print the inlined functions of the registers' place above the trace's first entry; arm and arm64 print the
  // place itself once more.
  const first = live[0];
  const again =
    frames[0] !== undefined &&
    first !== undefined &&
    sameFunction(first, frames[0]) &&
    first.offset === frames[0].offset;
  for (const entry of again ? live.slice(1) : live) {
    frames.push({ ...entry, source: sourceOf(entry, trace) });
  }
  const last = frames.at(-1)?.function ?? null;
  return {
    frames,
    stale: entries.filter((entry) => entry.stale),
    trace,
    complete: (trace?.reachesUser ?? false) || (last !== null && OUTERMOST.test(last)),
  };
}

function sourceOf(entry: TraceEntry, trace: CallTrace | null): LogFrame["source"] {
  if (entry.interrupted) return "registers";
  return entry.proven === true ? "call-site" : (trace?.by ?? "unwinder");
}

/** The first trace with entries; where that has none that the unwinder vouches for, one that passes the crash's own place. */
function chooseTrace(crash: ConsoleCrash, pc: CodePlace | null): CallTrace | null {
  const first = crash.traces[0] ?? null;
  if (first === null || pc === null || first.entries.some((entry) => !entry.stale)) return first;
  const through = crash.traces.find((trace) =>
    trace.entries.some((entry) => entry.interrupted && sameFunction(entry, pc)),
  );
  return through ?? first;
}
