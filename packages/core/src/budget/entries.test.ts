import { expect, test } from "vitest";
import { EmptyTypes } from "../types/empty-types.ts";
import type { CType, TypeProvider } from "../types/type-provider.ts";
import { graphOf } from "./call-graph.fixture.ts";
import type { CallGraph } from "./call-graph.ts";
import { type EntryProgram, findEntries } from "./entries.ts";
import { FunctionNames } from "./function-names.ts";
import { indexGraph } from "./graph-index.ts";

type FunctionType = Extract<CType, { kind: "function" }>;

const NOTHING: FunctionType = { kind: "function", returns: { kind: "void" }, parameters: [] };
const WORK_STRUCT = { kind: "struct", name: "work_struct", size: 32, members: [] } as const;
const WORK_FUNCTION: FunctionType = {
  ...NOTHING,
  parameters: [{ name: "work", type: { kind: "pointer", size: 8, target: WORK_STRUCT } }],
};

/** A program whose BTF knows the prototypes of these functions; `named` are the symbols that are asked for. */
function programOf(known: Readonly<Record<string, FunctionType>>, named: readonly string[] = []): EntryProgram {
  const types: TypeProvider = {
    ...EmptyTypes,
    func: (name) => known[name] ?? null,
  };
  const byName = (name: string) => (named.includes(name) ? { name, address: 0n, type: "T", module: null } : null);
  const symbols = { byName, byAddress: () => null };
  return { memory: { u64: () => null }, symbols, types, moduleTypes: () => types } as unknown as EntryProgram;
}

const WORK = "void (struct work_struct *dummy)";

/** The graph's table has no blanks in its labels. */
function labelled(graph: CallGraph, labels: Readonly<Record<string, string>>): CallGraph {
  return { ...graph, sets: { ...graph.sets, label: graph.sets.label.map((label) => labels[label] ?? label) } };
}

const GRAPH = labelled(
  graphOf(`
    process_one_work 80: ?work+64
    flush 40:
    sync@fs 40:
    assembly 40:
    doubted 40:
    handler 40:
    other 40:
    {work}: flush sync assembly doubted
    {irqaction.handler}: handler
    {foreign}: other
  `),
  { work: WORK, foreign: "void (struct work_struct *a, int b)" },
);

/** The record of `doubted` was not believed, since it is another function's: it is in the sets of all prototypes. */
const KNOWN = { flush: WORK_FUNCTION, sync: WORK_FUNCTION, other: NOTHING, doubted: NOTHING };

test("callbacks by their slot, or by a prototype that is no other's; of those only whose prototype is known", () => {
  const index = indexGraph(GRAPH);
  const entries = findEntries(index, new FunctionNames(GRAPH), programOf(KNOWN));
  expect(entries.map(({ f, kind, stack, why }) => [GRAPH.functions.name[f], kind, stack, why])).toEqual([
    ["flush", "work", "task", WORK],
    ["sync", "work", "task", WORK],
    ["handler", "interrupt", "irq", "irqaction.handler"],
  ]);
});

test.each([
  [
    "where others are of the kind's, one of another prototype is none",
    { flush: WORK_FUNCTION, free: NOTHING },
    ["flush", "asm"],
  ],
  ["where none is of the kind's (as old kernels cast them), all are", { flush: NOTHING }, ["flush", "free", "asm"]],
])("functions in a slot: %s", (_what, known, expected) => {
  const graph = graphOf("flush 40:\n free 40:\n asm 40:\n {work_struct.func}: flush free asm");
  const entries = findEntries(indexGraph(graph), new FunctionNames(graph), programOf(known));
  expect(entries.map(({ f }) => graph.functions.name[f])).toEqual(expected);
});

test("a set that is for other slots too is no callback's", () => {
  const graph = labelled(graphOf("enable 40:\n work 40:\n {both}: enable\n {kthread_work.func}: work"), {
    both: "ptp_clock_info.enable | kthread_work.func",
  });
  const entries = findEntries(indexGraph(graph), new FunctionNames(graph), programOf({}));
  expect(entries.map(({ f }) => graph.functions.name[f])).toEqual(["work"]);
});

/** Each chain begins with what is below a thread's main function: 168 + 40 + 56 bytes. */
const REAL_TIME = labelled(
  graphOf(`
    ret_from_fork 40: kthread+40
    kthread 56: ?thread+56
    smpboot_thread_fn 48: run_ksoftirqd+48, rcu_cpu_kthread+40
    run_ksoftirqd 8: handle_softirqs.constprop.0+8
    handle_softirqs.constprop.0 88: *softirq+88
    hrtimer_run_softirq 24: __hrtimer_run_queues+24
    __hrtimer_run_queues 104: *hrtimer.function+104
    rcu_cpu_kthread 64: rcu_core+64
    rcu_core 32: *callback_head.func+32
    irq_thread 48: irq_forced_thread_fn+48
    irq_forced_thread_fn 16: *irqaction.handler+16
    __irq_exit_rcu 16: handle_softirqs.constprop.0+16
    __handle_irq_event_percpu 72: *irqaction.handler+72
    hrtimer_interrupt 96: __hrtimer_run_queues+96
    {softirq}: net_rx_action
    {hrtimer.function}: hrtimer_wakeup
    {callback_head.func}: free_rcu
    {irqaction.handler}: e1000_intr
  `),
  { softirq: "an element of softirq_vec" },
);

test.each([
  ["a stock kernel", [], "softirq", "irq", 8 + 16 + 88],
  ["PREEMPT_RT", ["rt_spin_lock"], "softirq", "task", 168 + 40 + 56 + 48 + 8 + 88],
  ["a stock kernel", [], "timer", "irq", 8 + 96 + 104],
  ["PREEMPT_RT", ["rt_spin_lock"], "timer", "task", 168 + 40 + 56 + 48 + 8 + 88 + 24 + 104],
  ["PREEMPT_RT, from the interrupt", ["rt_spin_lock"], "timer", "irq", 8 + 96 + 104],
  ["a stock kernel", [], "rcu-callback", "irq", 8 + 16 + 88 + 32],
  ["PREEMPT_RT", ["rt_spin_lock"], "rcu-callback", "task", 168 + 40 + 56 + 40 + 64 + 32],
  ["a stock kernel", [], "interrupt", "irq", 8 + 72],
  ["PREEMPT_RT", ["rt_spin_lock"], "interrupt", "task", 168 + 40 + 56 + 48 + 16],
  ["PREEMPT_RT, exempt from threads", ["rt_spin_lock"], "interrupt", "irq", 8 + 72],
])("%s %s: %s callbacks on the %s stack, below %i bytes", (_of, symbols, kind, stack, baseBytes) => {
  const entries = findEntries(indexGraph(REAL_TIME), new FunctionNames(REAL_TIME), programOf({}, symbols));
  expect(entries.filter((entry) => entry.kind === kind && entry.stack === stack)).toMatchObject([{ baseBytes }]);
});

test("no callback of a softirq is on the IRQ stack of a PREEMPT_RT kernel", () => {
  const entries = findEntries(indexGraph(REAL_TIME), new FunctionNames(REAL_TIME), programOf({}, ["rt_spin_lock"]));
  expect(entries.filter(({ stack }) => stack === "irq").map(({ f }) => REAL_TIME.functions.name[f])).toEqual([
    "hrtimer_wakeup",
    "e1000_intr",
  ]);
});

test("kernel threads: int (void *), called by nobody, that ask whether to stop, or never return", () => {
  const graph = graphOf(`
    kthread 56: ?thread+56
    kswapd 120: kthread_should_stop+120
    kthread_should_stop 8:
    rcu_gp_kthread 80:
    helper 80: kthread_should_stop+80
    caller 80: helper+80
    compare 80:
    {thread}: kswapd rcu_gp_kthread helper compare
  `);
  for (const name of ["rcu_gp_kthread", "kthread"]) graph.functions.returns[graph.functions.name.indexOf(name)] = 0;
  const int: CType = { kind: "int", name: "int", size: 4, signed: true };
  const toVoid: CType = { kind: "pointer", size: 8, target: { kind: "void" } };
  const type = { kind: "function", returns: int, parameters: [{ name: "data", type: toVoid }] } as const;
  const program = { ...programOf({}), types: { ...EmptyTypes, func: () => type } };
  const entries = findEntries(indexGraph(graph), new FunctionNames(graph), program);
  expect(entries.map(({ f, kind, baseBytes }) => [graph.functions.name[f], kind, baseBytes])).toEqual([
    ["kswapd", "kthread", 168 + 56],
    ["rcu_gp_kthread", "kthread", 168 + 56],
  ]);
});

test("what begins on a stack that is empty again, below whatever goes there at its deepest", () => {
  const graph = graphOf(`
    entry_SYSCALL_64 8: do_syscall_64+8
    do_syscall_64 48: !+40, syscall_exit_to_user_mode+48
    syscall_exit_to_user_mode 24:
    asm_exc_page_fault 176: exc_page_fault+176
    exc_page_fault 40: async_fault+40, tail irqentry_exit
    async_fault 24: irqentry_exit+24
    asm_exc_int3 176: exc_int3+176
    exc_int3 32: tail irqentry_exit_to_user_mode
    irqentry_exit 8: tail irqentry_exit_to_user_mode
    irqentry_exit_to_user_mode 24:
    oops_end 40: rewind_stack_and_make_dead+40
    rewind_stack_and_make_dead 168: make_task_dead+168
    make_task_dead 80:
  `);
  const entries = findEntries(indexGraph(graph), new FunctionNames(graph), programOf({}));
  const fresh = entries.filter(({ kind }) => kind === "user-return" || kind === "task-end");
  expect(fresh.map(({ f, kind, stack, baseBytes }) => [graph.functions.name[f], kind, stack, baseBytes])).toEqual([
    ["syscall_exit_to_user_mode", "user-return", "task", 168 + 48],
    ["irqentry_exit_to_user_mode", "user-return", "task", 168 + 40 + 24],
    ["make_task_dead", "task-end", "task", 168],
  ]);
});

test.each([
  ["exc_page_fault", "current", 168 + 8],
  ["exc_debug", "ist", 168],
  ["exc_nmi", "ist", 168 + 96],
])("%s is on its %s stack below %i bytes", (name, stack, baseBytes) => {
  const graph = graphOf(`${name} 40:\n asm_${name} 168: ${name}+168`);
  const entries = findEntries(indexGraph(graph), new FunctionNames(graph), programOf({}));
  expect(entries).toMatchObject([{ kind: "exception", stack, baseBytes }]);
});
