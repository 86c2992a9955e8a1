/**
 * The lines by which kernels say what happened, since 2.6. Sources: arch/x86/kernel/{traps,dumpstack,irq,irq_64}.c,
 * arch/x86/mm/fault.c, kernel/{panic,sched/core,watchdog,hung_task}.c, mm/kasan/report.c, lib/{list_debug,ubsan}.c,
 * arch/{arm,arm64,powerpc,riscv,s390}/kernel/traps.c and their mm/fault.c, v2.6.12 to v6.18.
 */
import { hexNumber, placeIn } from "./code-place.ts";
import type { Headline, HeadlineKind } from "./report.ts";

interface Form {
  readonly kind: HeadlineKind;
  readonly pattern: RegExp;
  /** Numbers of the pattern's groups. */
  readonly address?: number;
  readonly place?: number;
  readonly detail?: number;
}

/** In order: the first that fits says what the line is. */
const FORMS: readonly Form[] = [
  {
    kind: "guard-page",
    pattern: /BUG: (?:(\S{1,12}) )?stack guard page was hit at ([0-9a-fx]{1,18})/,
    detail: 1,
    address: 2,
  },
  { kind: "stack-protector", pattern: /stack-protector: Kernel stack is corrupted in: (.*)/, place: 1 },
  { kind: "stack-end", pattern: /corrupted stack end detected inside scheduler/ },
  { kind: "stack-end-at-fault", pattern: /Thread overran stack, or stack corrupted/ },
  { kind: "stack-overflow", pattern: /Insufficient stack space to handle exception/ },
  { kind: "stack-low", pattern: /(?:near stack overflow|has overflown the kernel stack) \(cur:/ },
  { kind: "stack-low", pattern: /do_IRQ: stack overflow: -?\d+|low stack detected by irq handler/ },
  {
    kind: "stack-overflow",
    pattern:
      /^(?:Kernel panic - not syncing: )?[Kk]ernel stack overflow(?:\.|,| in process| \((?:double-fault|page fault)\)|$)|overflowed its kernel stack|[Kk]ernel stack pointer (?:out of range|corrupt)/,
  },
  {
    kind: "double-fault",
    pattern: /(?:PANIC: double fault|^(?:Oops: )?double fault: [0-9a-f]{4} \[|^double fault, gdt at)/,
  },
  {
    kind: "kasan",
    pattern: /BUG: KASAN: ([\w-]+(?: or [\w-]+)?)(?: on address [0-9a-f]+)? in (.*)/,
    detail: 1,
    place: 2,
  },
  { kind: "kasan", pattern: /BUG: KASAN: ([\w-]+)/, detail: 1 },
  { kind: "other", pattern: /BUG: K(?:MSAN|CSAN|FENCE): ([\w-]+)(?:.*? in (.*))?/, detail: 1, place: 2 },
  {
    kind: "unwinder",
    pattern:
      /WARNING: (?:kernel stack (?:regs|frame pointer) at|unrecognized unwind stack type|stack recursion|stack going in the wrong direction|can't (?:dereference|access) registers|can't find)|BUG: stack recursion on stack type|stack frame pointer points outside|^unwind stack type:\d/,
  },
  {
    kind: "page-fault",
    pattern:
      /BUG: (?:unable to handle (?:kernel )?(?:NULL pointer dereference|paging request|page fault)|kernel NULL pointer dereference)(?:(?: at virtual address| at| for address:|, address:) \(?([0-9a-fx]{1,18}))?/,
    address: 1,
  },
  {
    kind: "page-fault",
    pattern: /(?:BUG: )?Unable to handle kernel .{1,80}?(?:address:? ?|at )(?:0x)?([0-9a-f]{1,16})\b/,
    address: 1,
  },
  {
    kind: "page-fault",
    pattern:
      /(?:BUG: )?Unable to handle kernel (?:NULL|paging|pointer|data|access|write|read|instruction)|Kernel attempted to (?:read|write|execute)/,
  },
  { kind: "bug", pattern: /kernel BUG (?:at|in) / },
  {
    kind: "lockup",
    pattern:
      /soft lockup|hard LOCKUP|NMI watchdog: BUG|detected (?:expedited )?stalls? |self-detected stall|blocked for more than \d+ seconds|INFO: rcu_|INFO: suspected stall|BUG: workqueue lockup/,
  },
  {
    kind: "bug",
    pattern:
      /list_(?:add|del)(?:_valid)? (?:corruption|double add)|usercopy: [Kk]ernel memory|BUG: (?:Bad|scheduling while atomic|sleeping function|spinlock|using|non-zero|looking up|bad|soft|memory leak|Invalid|invalid|stack )|invalid opcode: [0-9a-f]{4} \[|Kernel BUG \[#|Internal error: Oops - BUG|kernel BUG\b/,
  },
  { kind: "warning", pattern: /UBSAN: / },
  { kind: "general-protection", pattern: /general protection fault(?! ip:)/ },
  { kind: "warning", pattern: /WARNING: (?:CPU: \d+ PID: \d+ )?at (?:\S+:\d+\s+)?(\S.*)/, place: 1 },
  {
    kind: "warning",
    pattern:
      /WARNING: (?:possible|suspicious|inconsistent|nested|held|still has|bad unlock|SOFTIRQ|HARDIRQ|locking|chain|lock)|possible (?:circular|recursive) locking|suspicious RCU usage|inconsistent lock state|held lock freed|lock held when returning|still has locks held|trying to register non-static key/,
  },
  {
    kind: "page-fault",
    pattern: /^(?:Internal error: )?Oops: [0-9a-f]{4,16}\b|^Oops: Kernel access of bad area|^Oops \[#\d+\]/,
  },
  {
    kind: "exception",
    pattern:
      /^(?:Oops: |Internal error: |BUG: )?([A-Za-z][\w ,:/()-]{2,60}?)(?:: [0-9a-f]{1,16}|: ESR 0x[0-9a-f]+)? \[#\d+\]/,
    detail: 1,
  },
  { kind: "panic", pattern: /Kernel panic - not syncing(?:: (.*))?/ },
  { kind: "bug", pattern: /^BUG: \S/ },
];

/** How far from the start of a line a statement may begin: "NMI watchdog: ", "do_IRQ: some-task ". */
const REACH = 48;

/** Cheap test of whether a line may be a headline. */
const MAYBE =
  /BUG|Oops|PANIC|panic|WARNING|Unable|nable to handle|stack|fault|\[#\d|error|lockup|LOCKUP|stall|blocked for|UBSAN|corruption|double|INFO: |usercopy|attempted to/;

/** What `text` says as a headline; null where it is none. */
export function readHeadline(text: string, line: number): Headline | null {
  if (!MAYBE.test(text)) return null;
  for (const form of FORMS) {
    const match = form.pattern.exec(text);
    if (match === null) continue;
    // In a sentence that speaks of it the words stand further back than any prefix of the kernel's own.
    if (match.index > REACH && !text.includes("Kernel panic - not syncing")) continue;
    const named = form.place === undefined ? undefined : match[form.place];
    const address = form.address === undefined ? undefined : match[form.address]?.replace(/^0x/, "");
    return {
      kind: form.kind,
      text: text.slice(Math.max(0, text.indexOf("Kernel panic - not syncing"))).slice(0, 400),
      line,
      at: named === undefined ? null : placeIn(named),
      address: form.kind === "guard-page" ? unhashed(hexNumber(address)) : hexNumber(address),
      detail: form.detail === undefined ? null : (match[form.detail] ?? null),
    };
  }
  return null;
}

/** %p is hashed since 4.15 (ad67b74d2469): what it prints has its upper half zero, and says nothing. */
export function unhashed(address: bigint | null): bigint | null {
  return address !== null && address < 1n << 32n ? null : address;
}

/** Message of a panic, null where `text` is none. */
export function panicMessage(text: string): string | null {
  const match = /Kernel panic - not syncing:? ?(.*)/.exec(text);
  return match === null ? null : match[1]!.trim();
}

/** Panics that only follow from what was reported before them. */
const CONSEQUENCE =
  /^(?:Fatal exception|Fatal hardware|Machine halted|.*panic_on_warn set|Attempted to kill|Aiee, killing|softlockup: hung|RCU Stall|NMI: Not continuing|Hard LOCKUP|hung_task: blocked|kernel stack overflow|Kernel mode fault|UBSAN|KASAN: panic_on_warn|KFENCE|KCSAN|Oops|BUG!|Kernel stack overflow|Fatal Exception|.*: panic_on_warn)/i;

/** Does this panic follow from an earlier report, or is it a report of its own? */
export function isConsequence(message: string): boolean {
  return CONSEQUENCE.test(message);
}
