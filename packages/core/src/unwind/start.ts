/** Where a backtrace starts: the registers of a task or CPU. */
import { callSitesIn } from "../code/call-site.ts";
import { type FrameState, frameLayout } from "../code/frame-layout.ts";
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
 * inactive_task_frame` (arch/x86/include/asm/switch_to.h, since 4.9), the callee-saved registers and the return address.
 */
export function startFromSavedFrame(context: UnwindContext, task: Task): Start {
  const sp = task.savedSp;
  if (sp !== null && context.kernel.symbols.byName("__switch_to_asm", null) === null) {
    return { state: stateOfInlineSwitch(context, sp), source: "saved", userMode: false };
  }
  const frame = sp === null ? null : inactiveFrame(context, sp);
  return { state: frame, source: "saved", userMode: false };
}

/** What six pushes leave below the return address, as nearly all kernels have it: RBP was pushed first. */
const USUAL_FRAME: FrameState = {
  rspDepth: 56,
  rbpDepth: null,
  saved: new Map(["rbp", "rbx", "r12", "r13", "r14", "r15"].map((name, index) => [name, 16 + index * 8])),
};

/** The frame of `__switch_to_asm` on the stack of a task that it put to sleep. */
function inactiveFrame(context: UnwindContext, sp: bigint): WalkState | null {
  const { memory } = context.kernel;
  const { rspDepth, saved } = switchFrame(context) ?? USUAL_FRAME;
  const cfa = sp + BigInt(rspDepth!);
  const pc = memory.u64(cfa - 8n);
  if (pc === null) return null;
  const registers = new Map<string, bigint>();
  for (const [name, depth] of saved) {
    const value = memory.u64(cfa - BigInt(depth));
    if (value !== null) registers.set(name, value);
  }
  return { pc, exact: false, sp: cfa, registers };
}

/**
 * As its own code builds it, where it stores RSP into the task: some kernels push RFLAGS, too (5.1, and what that was
 * backported to). Null where the code cannot be read.
 */
function switchFrame(context: UnwindContext): FrameState | null {
  const symbol = context.kernel.symbols.byName("__switch_to_asm", null);
  const code = symbol === null ? null : context.reader.functionAt(symbol.address);
  if (code === null) return null;
  const store = code.instructions.findIndex(
    ({ mnemonic, operands: [target, source] }) =>
      mnemonic === "mov" && target?.kind === "memory" && source?.kind === "register" && source.register === "rsp",
  );
  const state = frameLayout(code)[store] ?? null;
  return state?.rspDepth == null ? null : state;
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
