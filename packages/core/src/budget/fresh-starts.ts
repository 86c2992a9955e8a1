/**
 * Where a path begins on a stack that is empty again, though code calls on: such functions are entries of their own, and no path
 * from elsewhere goes on in them.
 *
 * - The way back to user mode: signals, task work, another task's turn. The last C function of a system call, an interrupt or an
 *   exception goes there if it came from user mode, with nothing but its own frames on the task's stack; one that came upon kernel
 *   code never does (kernel/entry/common.c: `irqentry_exit` asks `user_mode(regs)`). Else whatever a signal may take would seem
 *   to land on any stack.
 * - The end of a task that an oops killed: `rewind_stack_and_make_dead` goes back to the top of its stack.
 * - Softirqs that a task lets run (`local_bh_enable`): `do_softirq` calls their dispatcher on the CPU's IRQ stack. What runs there
 *   has entries of its own.
 */
import { type CallGraph, DEPTH_KINDS } from "./call-graph.ts";
import type { FunctionNames } from "./function-names.ts";
import type { GraphIndex } from "./graph-index.ts";

export interface FreshStart {
  readonly f: number;
  readonly kind: FreshKind;
  readonly why: string;
  /** RANDOMIZE_KSTACK_OFFSET may have moved the stack. */
  readonly afterSystemCall: boolean;
  /** Bytes from the CFA of what entry code calls to the function's, on the deepest way. */
  readonly chainBytes: number;
}

export type FreshKind = "user-return" | "task-end";

const STARTS = [
  { name: "syscall_exit_to_user_mode", kind: "user-return", why: "a system call, at its end", afterSystemCall: true },
  {
    name: "irqentry_exit_to_user_mode",
    kind: "user-return",
    why: "an interrupt or exception in user mode, at its end",
    afterSystemCall: false,
  },
  { name: "make_task_dead", kind: "task-end", why: "an oops, with the stack rewound", afterSystemCall: false },
] as const;

/** What entry code, which keeps pt_regs above its calls, is called: `asm_exc_page_fault`, `entry_SYSCALL_64_after_hwframe`. */
const ENTRY_CODE = /(^|_)(asm|entry)_|^(ret_from_fork|rewind_stack_)/;
/** Calls between entry code and the return: `exc_page_fault`, `__kvm_handle_async_pf`, `irqentry_exit` make three. */
const MOST_CALLS = 6;
const OTHER_STACK = DEPTH_KINDS.indexOf("other-stack");
const SOFTIRQ_DISPATCHER = /^(__do_softirq|handle_softirqs)(\.|$)/;

export function freshStarts(index: GraphIndex, names: FunctionNames): FreshStart[] {
  return STARTS.flatMap(({ name, ...start }) =>
    names.all(name).map((f) => ({ f, ...start, chainBytes: bytesAbove(index, f) })),
  );
}

/** Functions (1) that no path goes on in, for the entries that a budget has. */
export function startsApart(
  count: number,
  entries: Iterable<{ readonly f: number; readonly kind: string }>,
): Uint8Array {
  const apart = new Uint8Array(count);
  for (const { f, kind } of entries) if (STARTS.some((start) => start.kind === kind)) apart[f] = 1;
  return apart;
}

/** Whether a site dispatches softirqs on the IRQ stack, from a stack that is none. */
export function leavesForSoftirqs({ functions, sites }: CallGraph, site: number): boolean {
  if (sites.depthKind[site] !== OTHER_STACK || sites.callee[site]! < 0) return false;
  return SOFTIRQ_DISPATCHER.test(functions.name[sites.callee[site]!]!);
}

function bytesAbove({ graph: { functions, sites }, firstCaller, sitesTo }: GraphIndex, f: number): number {
  let most = 0;
  let reached = new Map([[f, 0]]);
  for (let call = 0; call < MOST_CALLS && reached.size > 0; call++) {
    const callers = new Map<number, number>();
    for (const [callee, below] of reached) {
      for (let at = firstCaller[callee]!; at < firstCaller[callee + 1]!; at++) {
        const site = sitesTo[at]!;
        const caller = sites.caller[site]!;
        if (ENTRY_CODE.test(functions.name[caller]!)) continue;
        const bytes = below + sites.bytes[site]!;
        most = Math.max(most, bytes);
        callers.set(caller, Math.max(callers.get(caller) ?? 0, bytes));
      }
    }
    reached = callers;
  }
  return most;
}
