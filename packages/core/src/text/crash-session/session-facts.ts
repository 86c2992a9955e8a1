/** The facts of a pasted session: the crash it is about, in the form that a log's crash has. */

import { parseConsole } from "../console/parse-console.ts";
import type { CallTrace, ConsoleCrash, ConsoleLog, RegisterDump, TraceEntry } from "../console/report.ts";
import { gatherLogFacts, headlineOf, type LogFacts, mainCrash } from "../log-facts.ts";
import { sameFunction } from "../place-name.ts";
import type { CrashSession, SessionFrame, SessionRegisters, SessionTask } from "./session.ts";

export interface SessionFacts {
  readonly session: CrashSession;
  /** The task that crashed; null where no `bt` is in the session. */
  readonly task: SessionTask | null;
  /** The same crash as a log would tell it, for the rules that both share. */
  readonly log: LogFacts;
  /** Index in `task.frames` of the caller of `__stack_chk_fail`; null where there is none. */
  readonly detector: number | null;
}

const PANIC =
  /^(?:panic|vpanic|__stack_chk_fail|oops_end|die|__die|crash_kexec|__crash_kexec|machine_kexec|double_fault|exc_double_fault|do_error_trap|no_context|page_fault_oops)/;

/** The task whose `bt` goes through a panic; else the first. */
function crashedTask(session: CrashSession): SessionTask | null {
  const framed = session.tasks.filter(({ frames }) => frames.length > 0);
  return framed.find(({ frames }) => frames.some((frame) => PANIC.test(frame.function))) ?? framed[0] ?? null;
}

/** Bytes of a near call, through a register or memory too. */
const CALL_BYTES = [5n, 2n, 3n, 4n, 6n, 7n];

function entryOf(frame: SessionFrame, session: CrashSession): TraceEntry {
  const code = session.code.get(frame.function);
  const start = code?.start;
  // `dis -l` names the line of the call, which lies before the return address.
  const line = CALL_BYTES.map((bytes) => code?.lines.get(frame.address - bytes)).find((one) => one !== undefined);
  return {
    function: frame.function,
    module: frame.module,
    offset: start === undefined ? null : Number(frame.address - start),
    size: null,
    address: frame.address,
    file: line?.file ?? null,
    codeLine: line?.line ?? null,
    stale: false,
    marker: null,
    sp: frame.slot,
    interrupted: false,
    inlined: false,
    line: 0,
  };
}

function exceptionEntry(registers: SessionRegisters): TraceEntry | null {
  const at = registers.exception;
  if (at === null) return null;
  return {
    function: at.function,
    module: at.module,
    offset: at.offset,
    size: null,
    address: registers.values.get("rip") ?? null,
    file: null,
    codeLine: null,
    stale: false,
    marker: null,
    sp: registers.values.get("rsp") ?? null,
    interrupted: true,
    inlined: false,
    line: 0,
  };
}

/** Does the session list the call that this frame's return address comes from, and does it go to the next inner frame? */
function isProven(session: CrashSession, task: SessionTask, index: number): boolean {
  const frame = task.frames[index]!;
  const inner = task.frames[index - 1];
  const code = session.code.get(frame.function);
  if (inner === undefined || code === undefined) return false;
  return CALL_BYTES.some((bytes) => code.callees.get(frame.address - bytes) === inner.function);
}

function traceOf(session: CrashSession, task: SessionTask): CallTrace {
  const entries: TraceEntry[] = [];
  for (const [index, frame] of task.frames.entries()) {
    entries.push({ ...entryOf(frame, session), proven: isProven(session, task, index) });
    for (const registers of task.registers) {
      const entry = registers.after === index ? exceptionEntry(registers) : null;
      if (entry !== null) entries.push(entry);
    }
  }
  return {
    line: 0,
    entries,
    reachesUser: task.registers.some((one) => one.exception === null),
    elided: 0,
    by: "crash",
  };
}

function registersOf(task: SessionTask): RegisterDump | null {
  const found = task.registers.find((one) => one.exception !== null);
  const entry = found === undefined ? null : exceptionEntry(found);
  if (found === undefined || entry === null) return null;
  return {
    line: 0,
    pc: entry,
    userMode: false,
    sp: entry.sp,
    faultAddress: null,
    registers: found.values,
    errorCode: null,
  };
}

/**
 * The frame whose check failed: the caller of __stack_chk_fail. crash may leave that one out, as its call of panic() is the
 * last thing in it; then the frame that the panic message names, by its function or by the address in it.
 */
function detectorIn(task: SessionTask, facts: LogFacts): number | null {
  const check = task.frames.findIndex((frame) => frame.function === "__stack_chk_fail");
  if (check >= 0) return check + 1 < task.frames.length ? check + 1 : null;
  const named = headlineOf(facts, "stack-protector")?.at ?? null;
  const panic = task.frames.findIndex((frame) => frame.function === "panic" || frame.function === "vpanic");
  if (named === null || panic < 0) return null;
  const index = task.frames.findIndex(
    (frame, at) => at > panic && (frame.address === named.address || sameFunction(frame, named)),
  );
  return index < 0 ? null : index;
}

/** The crash that the session's `log` tells of, or failing that the one line that `sys` has of it. */
function told(session: CrashSession, text: string): { log: ConsoleLog; crash: ConsoleCrash | null } {
  const log = parseConsole(text);
  const whole = mainCrash(log);
  if (whole !== null && whole.traces.length > 0) return { log, crash: whole };
  const panic = session.system.get("PANIC")?.replaceAll(/^"|"$/g, "").replace(/\\n$/, "") ?? "";
  const line = parseConsole(`${panic}\n`);
  return { log: line.crashes.length > 0 ? line : log, crash: mainCrash(line) ?? whole };
}

/** The least that a crash of which only frames are known looks like. */
function unsaid(task: SessionTask | null): ConsoleCrash {
  const checked = task?.frames.some((frame) => frame.function === "__stack_chk_fail") ?? false;
  const text = checked ? "stack-protector: Kernel stack is corrupted" : "no panic message in the session";
  const headline = { text, line: 0, at: null, address: null, detail: null };
  return {
    headline: { ...headline, kind: checked ? "stack-protector" : "other" },
    further: [],
    panic: null,
    from: 0,
    to: 0,
    time: null,
    cpu: null,
    pid: null,
    comm: null,
    release: null,
    processLine: null,
    workqueue: null,
    registers: null,
    code: null,
    traces: [],
    stackWords: [],
    stackAt: null,
    stacks: [],
    kasan: null,
    modules: [],
    taintedModules: [],
    taints: null,
    arch: null,
    interleaved: false,
    cut: false,
  };
}

export function gatherSessionFacts(session: CrashSession, text: string): SessionFacts {
  const task = crashedTask(session);
  const { log, crash } = told(session, text);
  const base = crash ?? unsaid(task);
  const machine = session.system.get("MACHINE")?.split(/\s/)[0] ?? null;
  const merged: ConsoleCrash = {
    ...base,
    cpu: task?.cpu ?? base.cpu,
    pid: task?.pid ?? base.pid,
    comm: task?.comm ?? base.comm,
    release: session.system.get("RELEASE") ?? base.release,
    arch: machine ?? base.arch ?? "x86_64",
    // The kernel's own trace is the better one: its unwinder was there.
    ...(base.traces.length === 0 && task !== null
      ? { traces: [traceOf(session, task)], registers: registersOf(task) }
      : {}),
  };
  const facts = gatherLogFacts(log, merged);
  return {
    session,
    task,
    log: facts,
    detector: task === null ? null : detectorIn(task, facts),
  };
}
