/** Where a backtrace starts: the registers of a task or CPU. */
import { callSitesIn } from "../code/call-site.ts";
import type { Registers } from "../image/dump-image.ts";
import type { Cpu, Task } from "../kernel/kernel.ts";
import type { Backtrace } from "./backtrace.ts";
import { findAnchors } from "./candidates.ts";
import type { WalkState } from "./step.ts";
import { isAtTop } from "./thread-start.ts";
import type { UnwindContext } from "./unwind-context.ts";

export interface Start {
  readonly state: WalkState | null;
  readonly source: Backtrace["source"];
  /** The CPU stood in user mode: no kernel frames. */
  readonly userMode: boolean;
}

/** From the registers that the dump's notes hold. */
export function startFromNote(registers: Registers): Start {
  if ((registers.cs & 3n) === 3n) return { state: null, source: "note", userMode: true };
  const { rip, rsp } = registers;
  const known = new Map<string, bigint>();
  for (const [name, value] of Object.entries(registers)) known.set(name === "eflags" ? "rflags" : name, value);
  return { state: { pc: rip, exact: true, sp: rsp, registers: known }, source: "note", userMode: false };
}

/**
 * From what the task switch left on the stack of a task that is not running: with `__switch_to_asm` `struct
 * inactive_task_frame` (arch/x86/include/asm/switch_to.h, since 4.9), six callee-saved registers and the return address.
 */
export function startFromSavedFrame(context: UnwindContext, task: Task): Start {
  const sp = task.savedSp;
  if (sp !== null && context.kernel.symbols.byName("__switch_to_asm", null) === null) {
    return { state: stateOfInlineSwitch(context, sp), source: "saved", userMode: false };
  }
  const names = ["r15", "r14", "r13", "r12", "rbx", "rbp"];
  const bytes = sp === null ? null : context.kernel.memory.read(sp, 56);
  if (sp === null || bytes === null) return { state: null, source: "saved", userMode: false };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const registers = new Map(names.map((name, index) => [name, view.getBigUint64(index * 8, true)]));
  const pc = view.getBigUint64(48, true);
  return { state: { pc, exact: false, sp: sp + 56n, registers }, source: "saved", userMode: false };
}

/** Functions that the macro `switch_to` was inlined into, the likeliest first. */
const SWITCHERS = ["__schedule", "schedule", "thread_return"];

/**
 * Up to 4.8 the switch is inline in the scheduler (macro `switch_to`): RSP stands as it is at the call of `__switch_to`. A task
 * that has not run yet has nothing on its stack but the registers of user mode, and begins at `ret_from_fork`.
 */
function stateOfInlineSwitch(context: UnwindContext, sp: bigint): WalkState | null {
  const { symbols } = context.kernel;
  const registers = new Map<string, bigint>();
  const fork = symbols.byName("ret_from_fork", null)?.address;
  if (fork !== undefined && isAtTop(context, { pc: fork, exact: false, sp, registers })) {
    return { pc: fork, exact: true, sp, registers };
  }
  const switchTo = symbols.byName("__switch_to", null)?.address;
  for (const name of SWITCHERS) {
    const scheduler = symbols.byName(name, null);
    if (scheduler === null) continue;
    const site = callSitesIn(context.reader, scheduler.address).find((one) => one.target === switchTo);
    if (site !== undefined) return { pc: site.returnAddress, exact: false, sp, registers };
  }
  return null;
}

/** No registers at all: the lowest return address on the stack from which everything is proven to the end. */
export function startFromStack(context: UnwindContext, task: Task): Start {
  const low = task.stack;
  const anchor = low === null ? undefined : findAnchors(context, low, 1)[0];
  if (anchor === undefined) return { state: null, source: "stack", userMode: false };
  const state: WalkState = { pc: anchor.returnAddress, exact: false, sp: anchor.slot + 8n, registers: new Map() };
  return { state, source: "stack", userMode: false };
}

/** The start for a task, whether it runs on `cpu` or not. */
export function startOf(context: UnwindContext, task: Task, cpu: Cpu | null): Start {
  if (cpu?.registers) return startFromNote(cpu.registers);
  if (cpu !== null) return startFromStack(context, task);
  return startFromSavedFrame(context, task);
}
