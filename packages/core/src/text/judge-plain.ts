/** The explanation that has nothing to do with stacks, and how far the log bears it out. */
import { KERNEL_HALF } from "./kernel-address.ts";
import { headlineOf, type LogFacts, speaksOfStacks } from "./log-facts.ts";
import type { LogFrame } from "./log-frames.ts";
import { placeName } from "./place-name.ts";
import { type TextHypothesis, textHypothesis } from "./text-hypothesis.ts";

/** Functions that raise, report and stop: whoever called them is the one to look at. */
const REPORTERS =
  /^(?:dump_stack\w*|show_stack|dump_backtrace|show_regs|print_\w+|v?panic|nmi_panic|die|oops_end|__?die\w*|__warn\w*|report_bug|fixup_bug|warn_slowpath\w*|__warn_printk|check_panic_on_warn|handle_bug|do_error_trap|do_invalid_op|do_trap\w*|invalid_op|asm_exc_\w+|exc_\w+|page_fault|general_protection|no_context|bad_area\w*|__bad_area\w*|do_page_fault|do_user_addr_fault|__do_page_fault|page_fault_oops|watchdog\w*|check_hung\w*|kmsan_\w+|__msan_\w+|kfence_\w+|kcsan_\w+|__ubsan\w+|ubsan_\w+|lockdep_rcu\w*|check_lock\w*|___might_sleep|__might_\w+|__schedule_bug|spin_dump|spin_bug|usercopy_abort|fortify_panic|__fortify_panic|list_\w+_valid\w*|__list_\w+_valid\w*|slab_err|object_err|refcount_warn_saturate|refcount_\w+_checked|check_noncircular|check_usage|check_irq_usage|check_prev_add|validate_chain|__lock_acquire|lock_acquire|bad_page|debug_check_no_locks_held|rust_helper_BUG|__list_\w+|list_debug\w*|sched_show_task|rcu_check_callbacks|rcu_dump_cpu_stacks|nmi_cpu_backtrace|__sanitizer_cov_trace_\w+)(?:\.\w+)*$/;

const SLEEPERS =
  /^(?:__switch_to\w*|context_switch|__?schedule\w*|preempt_schedule\w*|schedule_\w+|io_schedule\w*|wait_for_\w+|do_wait_for_common|rwsem_down_\w+|__?(?:mutex|down|rt_mutex)_\w*lock\w*|mutex_lock\w*|down_(?:read|write)\w*)(?:\.\w+)*$/;
const NOBODY = /^$/;

const WHAT: Readonly<Record<string, string>> = {
  "page-fault": "a bad memory access",
  "general-protection": "a general protection fault",
  bug: "a failed check of the kernel's own",
  warning: "a warning",
  lockup: "a CPU or task that made no progress",
  panic: "a panic",
  exception: "an exception",
  "double-fault": "a double fault",
  unwinder: "a complaint of the unwinder about a frame it could not follow",
  other: "an exception",
};

/** @param rivals whether another explanation speaks of the stack */
export function judgePlain(facts: LogFacts, rivals: boolean): TextHypothesis {
  const { crash, chain } = facts;
  const { registers } = crash;
  const kind = crash.headline.kind;
  const culprit = raisedIn(facts);
  const where = culprit === null ? "" : ` in ${placeName(culprit)}`;
  const what = `${WHAT[kind] ?? "something else"}${where}`;
  const sp = registers?.sp ?? null;
  const spFits = sp === null || facts.arch !== "x86_64" || sp >= KERNEL_HALF || registers?.userMode === true;
  const whole = chain.complete && chain.frames.some((frame) => frame.source === "unwinder");
  let weight = 0.55;
  if (whole && spFits) {
    facts.evidence.add(
      "chain-complete",
      null,
      `The kernel's unwinder followed the stack through ${chain.frames.length} frames to its end.`,
    );
    weight = 0.78;
  } else if (chain.trace === null || chain.frames.length === 0) {
    facts.evidence.miss("The call trace: the log has none, or none that the unwinder vouched for.");
  } else {
    facts.evidence.miss("The outer part of the call trace: it ends before the stack does.");
  }
  if (!spFits || kind === "double-fault") weight = 0.2;
  if (kind === "unwinder") weight = 0.4;
  if (crash.interleaved) {
    facts.evidence.miss(
      "Which line is whose: several CPUs wrote at once, and the log has no caller ids (CONFIG_PRINTK_CALLER).",
    );
    weight = Math.min(weight, 0.6);
  }
  if (rivals || (speaksOfStacks(facts) && !facts.evidence.has("panic-caller"))) weight = Math.min(weight, 0.05);
  return textHypothesis({
    kind: "not-stack-related",
    weight,
    summary:
      weight >= 0.65
        ? `Nothing in the log points at the stack; the cause is ${what}.`
        : `The cause may be ${what}, apart from the stack.`,
    why: whole ? "the stack could be followed to its end" : "the crash has a cause of its own",
    culprit,
  });
}

/** Where the crash was raised: at the registers, else in whoever called the reporting functions. */
function raisedIn(facts: LogFacts): TextHypothesis["culprit"] {
  const { chain, crash } = facts;
  const named = (place: Pick<LogFrame, "function" | "module"> | null | undefined): TextHypothesis["culprit"] =>
    place?.function == null ? null : { function: place.function, module: place.module };
  // What a message says of a check that was not made says nothing.
  const stated = facts.evidence.has("panic-caller")
    ? null
    : (crash.headline.at ?? headlineOf(facts, "warning")?.at ?? null);
  // Of a task that hangs, what matters is who waits, not that it sleeps.
  const passed = crash.headline.kind === "lockup" ? SLEEPERS : NOBODY;
  const own = chain.frames.find(
    (frame) => frame.function !== null && !REPORTERS.test(frame.function) && !passed.test(frame.function),
  );
  const pc = crash.registers?.userMode === false ? crash.registers.pc : null;
  if (pc?.function != null && !REPORTERS.test(pc.function)) return named(pc);
  return named(stated?.function != null && !REPORTERS.test(stated.function) ? stated : own);
}
