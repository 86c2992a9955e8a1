import type { PeerChain } from "./peer-chain.ts";

/** What the lab's result.json says about the chain; the rest of the ground truth is not needed here. */
export interface ChainTruth {
  /** Functions that were active, innermost first; others may lie between them. */
  readonly chain: readonly string[];
  /** Functions that were not active though a careless reader of the stack may think so. */
  readonly absent: readonly string[];
  /** The functions that recur; they may appear any number of times. */
  readonly cycle: readonly string[];
}

export interface Judgement {
  readonly right: boolean;
  /** The first function of the true chain that is not there in its order; null if all are. */
  readonly missing: string | null;
  /** Frames shown as live that were not: left by earlier calls, or made up. */
  readonly stale: readonly string[];
  /** The tool's own complaint. */
  readonly error: string | null;
}

/**
 * Functions that lie between the ones that the ground truth names, on one kernel or the other: the entry code, and what the
 * interrupt, soft interrupt and scheduler paths pass through. Anything else on the far side of the first named function was not
 * active when the kernel crashed.
 */
const PASSED_THROUGH = new Set([
  // arch/x86/entry: system call, fork and NMI entries
  ...["entry_SYSCALL_64", "entry_SYSCALL_64_after_hwframe", "__x64_sys_write", "x64_sys_call", "do_syscall_x64"],
  ...["ret_from_fork", "ret_from_fork_asm", "asm_exc_nmi", "end_repeat_nmi", "repeat_nmi", "nmi_restore"],
  // the interrupt that a scenario sends to itself, and the delay that it interrupts
  ...["asm_sysvec_irq_work", "sysvec_irq_work", "__sysvec_irq_work", "asm_call_irq_on_stack"],
  ...["delay_tsc", "__const_udelay", "__udelay", "__delay", "__preempt_count_add", "__preempt_count_sub"],
  // the sending of that interrupt or NMI, which it interrupts (6.1 in flat mode, 6.12 in physical mode)
  ...["irq_work_queue", "arch_irq_work_raise", "apic_wait_icr_idle", "_flat_send_IPI_mask"],
  "default_send_IPI_single_phys",
  // soft interrupts
  ...[
    "tasklet_action",
    "handle_softirqs",
    "__do_softirq",
    "do_softirq",
    "__local_bh_enable_ip",
    "do_softirq_own_stack",
  ],
  // the scheduler
  ...["__schedule", "schedule", "schedule_timeout", "schedule_timeout_uninterruptible"],
]);

/** Whether a backtrace holds the true chain, in order, and nothing that was not active. */
export function judgeChain(peer: PeerChain, truth: ChainTruth): Judgement {
  const frames = peer.frames.map((frame) => ({ name: plainName(frame.function), inlined: frame.inlined }));

  let wanted = 0;
  let first = frames.length;
  frames.forEach((frame, i) => {
    if (frame.name !== truth.chain[wanted]) return;
    if (wanted++ === 0) first = i;
  });
  const missing = truth.chain[wanted] ?? null;

  const allowed = new Set([...PASSED_THROUGH, ...truth.chain, ...truth.cycle]);
  const once = new Map<string, number>();
  for (const name of truth.chain) once.set(name, (once.get(name) ?? 0) + 1);
  const stale: string[] = [];
  frames.forEach(({ name, inlined }, i) => {
    if (inlined) return;
    const left = once.get(name);
    const repeated = left !== undefined && left <= 0 && !truth.cycle.includes(name);
    if (left !== undefined) once.set(name, left - 1);
    // Inside of the first named function is the way the crash was reported, which differs from kernel to kernel.
    if (truth.absent.includes(name) || repeated || (i > first && !allowed.has(name))) stale.push(name);
  });

  return { right: missing === null && stale.length === 0, missing, stale, error: peer.error };
}

/** A function's name without what the compiler adds for a copy or a part of it. */
export function plainName(name: string): string {
  return name.replace(/(?:\.(?:isra|constprop|part|cold|llvm|lto_priv)(?:\.\d+)*)+$/, "");
}

/** A judgement in a few words, for a cell of a table. */
export function describeJudgement({ right, missing, stale, error }: Judgement): string {
  if (right) return "right";
  const parts: string[] = [];
  if (missing !== null) parts.push(`lacks ${missing}`);
  if (stale.length > 0) {
    const more = stale.length > 2 ? ` + ${stale.length - 2}` : "";
    parts.push(`stale ${stale.slice(0, 2).join(", ")}${more}`);
  }
  if (error !== null) parts.push(error.length > 60 ? `${error.slice(0, 59)}…` : error);
  return `WRONG: ${parts.join("; ")}`;
}
