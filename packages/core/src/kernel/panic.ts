import { type KernelContext, readI32 } from "./context.ts";
import type { KernelCpu } from "./cpus.ts";
import type { Kernel, LogRecord } from "./kernel.ts";

type Panic = Kernel["panic"];

/** The line that names the trouble, a few lines before the numbered one of an oops or in its place. */
const TROUBLE =
  /^(BUG: |kernel BUG at |kernel tried to execute|general protection fault|double fault|stack segment|divide error|traps: PANIC|PANIC: |watchdog: BUG|corrupted stack end)/;
/** __die_header, arch/x86/kernel/dumpstack.c: "Oops: 0002 [#1] SMP", "general protection fault, …: 0000 [#2]". */
const NUMBERED = /: [0-9a-f]{4} \[#\d+\]/;
const END = /^---\[ end trace/;
const PANIC = /^Kernel panic - not syncing: /;
/** A panic that only says that an oops came before it. */
const AFTER_OOPS = /^Kernel panic - not syncing: (Fatal exception|Fatal exception in interrupt|Fatal Machine check)/;
/** print_task's line, lib/dump_stack.c: "CPU: 1 PID: 1 Comm: init"; "UID: 0" after CPU's PID since 6.13. */
const WHERE = /^CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.*?)(?: Kdump: | Not tainted| Tainted:|$)/;

/**
 * Who panicked: `panic_cpu` (1717f2096b54, 4.5; -1 while nobody has), else `crashing_cpu`, else the "CPU: …" line that the
 * trouble left in the log, else `die_owner`. The task is that CPU's current one, which the log's pid confirms or doubts.
 */
export function findPanic(
  context: KernelContext,
  cpus: readonly KernelCpu[],
  log: readonly LogRecord[],
  pidOf: (task: bigint) => number | null,
  taskByPid: (pid: number) => bigint | null,
): Panic {
  const { message, line } = panicMessage(log);
  const where = line === null ? null : whereAfter(log, line);
  const known = (cpu: number | null): cpu is number => cpu !== null && cpus.some((c) => c.number === cpu);
  let cpu: number | null = null;
  let source: string | null = null;
  for (const name of ["panic_cpu", "crashing_cpu"]) {
    const value = readI32(context, name);
    if (!known(value) || (value === 0 && startsAsZero(context, name))) continue;
    cpu = value;
    source = name;
    break;
  }
  if (cpu === null && known(where?.cpu ?? null)) {
    cpu = where!.cpu;
    source = "log";
  }
  if (cpu === null) {
    const owner = readI32(context, "die_owner");
    if (known(owner)) {
      cpu = owner;
      source = "die_owner";
    }
  }
  let task = cpus.find((c) => c.number === cpu)?.currentTask ?? null;
  if (where !== null && where.cpu === cpu && where.pid > 0) {
    const current = task === null ? null : pidOf(task);
    if (current !== where.pid) {
      const named = taskByPid(where.pid);
      context.problem(
        `the log names pid ${where.pid} as the task that crashed on CPU ${cpu}, whose current task is pid ${current ?? "unknown"}`,
      );
      task ??= named;
    }
  }
  if (message === null && cpu === null) context.problem("no sign of a panic: not in the log, and no CPU claims it");
  return { cpu, task, message, source };
}

/** Where `crashing_cpu` lies in .bss it starts as 0 (seen in 4.4; later kernels start it as -1): CPU 0 then means nothing. */
function startsAsZero(context: KernelContext, name: string): boolean {
  return /^b$/i.test(context.symbols.byName(name, null)?.type ?? "");
}

/** The line that says best what happened, and where it stands in the log. */
export function panicMessage(log: readonly LogRecord[]): { message: string | null; line: number | null } {
  let panic = -1;
  for (let i = log.length - 1; i >= 0 && panic < 0; i--) if (PANIC.test(log[i]!.text)) panic = i;
  if (panic >= 0 && !AFTER_OOPS.test(log[panic]!.text)) return { message: firstLine(log[panic]!), line: panic };
  const oops = oopsBefore(log, panic >= 0 ? panic : log.length) ?? panic;
  return oops >= 0 ? { message: firstLine(log[oops]!), line: oops } : { message: null, line: null };
}

/** Line that opens the last oops before line `end`: not one that happened while it was being printed, nor an earlier one. */
function oopsBefore(log: readonly LogRecord[], end: number): number | null {
  let numbered: number | null = null;
  let trouble: number | null = null;
  for (let i = end - 1; i >= 0; i--) {
    const { text } = log[i]!;
    if (numbered !== null && END.test(text)) break;
    if (NUMBERED.test(text)) numbered = i;
    else if (numbered === null && trouble === null && TROUBLE.test(text)) trouble = i;
  }
  if (numbered === null) return trouble;
  for (let i = numbered - 1; i >= Math.max(0, numbered - 12) && !END.test(log[i]!.text); i--) {
    if (TROUBLE.test(log[i]!.text)) return i;
  }
  return numbered;
}

function firstLine(record: LogRecord): string {
  const text = record.text.trimEnd();
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end);
}

/** The first "CPU: …" line within the lines that a panic or an oops prints after its message. */
function whereAfter(log: readonly LogRecord[], line: number): { cpu: number; pid: number } | null {
  for (const record of log.slice(line, line + 40)) {
    const match = WHERE.exec(record.text);
    if (match !== null) return { cpu: Number(match[1]), pid: Number(match[2]) };
  }
  return null;
}
