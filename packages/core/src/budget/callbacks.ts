/** Callbacks that the kernel calls on a stack that nothing else was on before: the slots that hold them, and who calls them. */
import type { EntryKind, EntryStack } from "./budget-document.ts";
import type { Chain } from "./entry-cost.ts";

/** A stack, and who is on it when a callback is called there, from the bottom. */
export interface CallbackContext {
  readonly stack: EntryStack;
  readonly chain: Chain;
}

export interface Callback {
  /** Members of structs, as the labels of typed sets name them. */
  readonly slots: RegExp;
  /**
   * A prototype that no other kind of callback has, as the labels of assumed sets spell it: what tells where the slot is not
   * known, since objects on the heap were given their callbacks by code that took them as arguments.
   */
  readonly prototype?: RegExp;
  /** Functions of any kind are of the slot's prototype: only what a call is seen to reach through it counts. */
  readonly calledOnly?: true;
  readonly kind: EntryKind;
  readonly at: CallbackContext;
  /**
   * Where PREEMPT_RT calls them: softirqs in a thread of each CPU (kernel/softirq.c), handlers of interrupts in a thread of
   * each (force_irqthreads, kernel/irq/manage.c). What a driver exempts from it is called there as well as `at` its usual place.
   */
  readonly atRealTime?: readonly CallbackContext[];
}

/** Below the main function of a kernel thread. */
export const KTHREAD: Chain = ["ret_from_fork", "kthread"];
const IRQ_EXIT: Chain = ["__irq_exit_rcu", ["handle_softirqs", "__do_softirq"]];
const KSOFTIRQD: Chain = [...KTHREAD, "smpboot_thread_fn", "run_ksoftirqd", ["handle_softirqs", "__do_softirq"]];
const WORK: Chain = [...KTHREAD, "worker_thread", "process_scheduled_works", "process_one_work"];
const HARDIRQ: Chain = [
  "__common_interrupt",
  "handle_edge_irq",
  "handle_irq_event",
  "handle_irq_event_percpu",
  "__handle_irq_event_percpu",
];

/** Called in a softirq, through these. */
function inSoftirq(through: Chain): Pick<Callback, "at" | "atRealTime"> {
  return {
    at: { stack: "irq", chain: [...IRQ_EXIT, ...through] },
    atRealTime: [{ stack: "task", chain: [...KSOFTIRQD, ...through] }],
  };
}

const HRTIMER_INTERRUPT: CallbackContext = {
  stack: "irq",
  chain: ["__sysvec_apic_timer_interrupt", "hrtimer_interrupt", "__hrtimer_run_queues"],
};
const INTERRUPT_HANDLER: CallbackContext = { stack: "irq", chain: HARDIRQ };

export const CALLBACKS: readonly Callback[] = [
  {
    // The table's type is not in BTF, and since 6.12 no argument tells of it.
    slots: /^(softirq_action\.action|an element of softirq_vec)$/,
    prototype: /^void \(struct softirq_action \*\w*\)$/,
    calledOnly: true,
    kind: "softirq",
    ...inSoftirq([]),
  },
  {
    slots: /^tasklet_struct\.(func|callback)$/,
    prototype: /^void \(struct tasklet_struct \*\w*\)$/,
    kind: "softirq",
    ...inSoftirq(["tasklet_action_common"]),
  },
  {
    slots: /^timer_list\.function$/,
    prototype: /^void \(struct timer_list \*\w*\)$/,
    kind: "timer",
    ...inSoftirq(["run_timer_softirq", ["__run_timer_base", "__run_timers"], "expire_timers", "call_timer_fn"]),
  },
  {
    slots: /^hrtimer\.function$/,
    prototype: /^enum hrtimer_restart \(struct hrtimer \*\w*\)$/,
    kind: "timer",
    at: HRTIMER_INTERRUPT,
    // In the interrupt only those that were set up to (HRTIMER_MODE_HARD).
    atRealTime: [
      { stack: "task", chain: [...KSOFTIRQD, "hrtimer_run_softirq", "__hrtimer_run_queues"] },
      HRTIMER_INTERRUPT,
    ],
  },
  {
    slots: /^(callback_head|rcu_head)\.func$/,
    prototype: /^void \(struct callback_head \*\w*\)$/,
    kind: "rcu-callback",
    at: { stack: "irq", chain: [...IRQ_EXIT, "rcu_core", "rcu_do_batch"] },
    // `use_softirq` is false there (kernel/rcu/tree.c).
    atRealTime: [
      { stack: "task", chain: [...KTHREAD, "smpboot_thread_fn", "rcu_cpu_kthread", "rcu_core", "rcu_do_batch"] },
    ],
  },
  {
    slots: /^irqaction\.handler$/,
    prototype: /^irqreturn_t \(int \w*, void \*\w*\)$/,
    kind: "interrupt",
    at: INTERRUPT_HANDLER,
    atRealTime: [{ stack: "task", chain: [...KTHREAD, "irq_thread", "irq_forced_thread_fn"] }, INTERRUPT_HANDLER],
  },
  {
    slots: /^irqaction\.thread_fn$/,
    kind: "kthread",
    at: { stack: "task", chain: [...KTHREAD, "irq_thread", "irq_thread_fn"] },
  },
  {
    slots: /^work_struct\.func$/,
    prototype: /^void \(struct work_struct \*\w*\)$/,
    kind: "work",
    at: { stack: "task", chain: WORK },
  },
  {
    slots: /^kthread_work\.func$/,
    prototype: /^void \(struct kthread_work \*\w*\)$/,
    kind: "work",
    at: { stack: "task", chain: [...KTHREAD, "kthread_worker_fn"] },
  },
  { slots: /^kthread_create_info\.threadfn$/, kind: "kthread", at: { stack: "task", chain: KTHREAD } },
  // Below whatever path of the VFS leads to them; only what the entry code itself takes is counted.
  {
    slots: /^file_operations\.(?!owner)\w+$/,
    kind: "file-operation",
    at: { stack: "task", chain: ["do_syscall_64"] },
  },
];

const ANY_SLOT = new RegExp(
  CALLBACKS.filter(({ calledOnly }) => calledOnly !== true)
    .map(({ slots }) => slots.source)
    .join("|"),
);

const SLOT_OF_ANY = new RegExp(CALLBACKS.map(({ slots }) => slots.source).join("|"));
const PROTOTYPE_OF_ANY = new RegExp(
  CALLBACKS.flatMap(({ prototype }) => (prototype === undefined ? [] : prototype.source)).join("|"),
);

/** Are the functions in a member or table of that label entries? Then its set is wanted even where no call is known to go through it. */
export function isCallbackSlot(label: string): boolean {
  return ANY_SLOT.test(label);
}

/** The kind of callback that a set's label tells of: all of its slots are of that kind. */
export function callbackOf(label: string): { readonly callback: Callback; readonly bySlot: boolean } | null {
  const parts = label.split(" | ");
  // Nearly all labels tell of none.
  if (!SLOT_OF_ANY.test(parts[0]!) && !PROTOTYPE_OF_ANY.test(label)) return null;
  const bySlot = CALLBACKS.find(({ slots }) => parts.every((part) => slots.test(part)));
  if (bySlot !== undefined) return { callback: bySlot, bySlot: true };
  const byPrototype = CALLBACKS.find(({ prototype }) => prototype?.test(label) === true);
  return byPrototype === undefined ? null : { callback: byPrototype, bySlot: false };
}
