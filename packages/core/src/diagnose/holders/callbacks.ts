/** Function pointers kept in an object, and what the code behind one would be called with. */
import type { Kernel } from "../../kernel/kernel.ts";
import type { Callback } from "./holder.ts";

/** Of a large object the part around the pointer. Bytes. */
const REACH = 512n;
const MOST_CALLBACKS = 16;

/**
 * Structs that the kernel's own subsystems call back through, with the member that holds the function which
 * gets the struct's address as its first argument (include/linux: timer_types.h, hrtimer_types.h, workqueue_types.h, irq_work.h, wait.h,
 * notifier.h, types.h for rcu_head, interrupt.h).
 */
const EMBEDDED: readonly Embedded[] = [
  { struct: "timer_list", member: "function", role: "timer", check: isTimer },
  { struct: "hrtimer", member: "function", role: "high-resolution timer", check: isHighResolutionTimer },
  { struct: "work_struct", member: "func", role: "work item", check: isWork },
  { struct: "irq_work", member: "func", role: "irq work" },
  { struct: "wait_queue_entry", member: "func", role: "wait queue entry" },
  { struct: "notifier_block", member: "notifier_call", role: "notifier" },
  { struct: "callback_head", member: "func", role: "RCU callback" },
  { struct: "tasklet_struct", member: "func", role: "tasklet" },
];

interface Embedded {
  readonly struct: string;
  readonly member: string;
  readonly role: string;
  /** Do the words around it say that this is what it is? Left out where nothing tells: then the role is not named. */
  readonly check?: (word: (member: string) => bigint | null, kernel: Kernel, start: bigint) => boolean;
}

export interface CallGuess {
  readonly role: string | null;
  readonly args: ReadonlyMap<string, bigint>;
}

/** Pointers to the start of functions in an object, those nearest to `around` first. */
export function callbacksIn(kernel: Kernel, low: bigint, high: bigint, around: bigint): Callback[] {
  const from = low > around - REACH ? low : around - REACH;
  const to = high < around + REACH ? high : around + REACH;
  const found: Callback[] = [];
  for (let slot = (from + 7n) & ~7n; slot + 8n <= to; slot += 8n) {
    const value = kernel.memory.u64(slot);
    if (value === null || !kernel.symbols.isText(value)) continue;
    const range = kernel.symbols.functionAt(value);
    if (range === null || range.start !== value) continue;
    found.push({ slot, function: range, role: roleOf(kernel, slot, low, high) });
  }
  const near = (one: Callback) => (one.slot > around ? one.slot - around : around - one.slot);
  return found.sort((a, b) => (near(a) < near(b) ? -1 : near(a) > near(b) ? 1 : 0)).slice(0, MOST_CALLBACKS);
}

/** The first struct of the table that fits around the function pointer: within the object, its other words sound. */
function roleOf(kernel: Kernel, slot: bigint, low: bigint, high: bigint): string | null {
  for (const { struct, member, role, check } of EMBEDDED) {
    const at = kernel.types.member(struct, member);
    const size = kernel.types.sizeOf(struct);
    if (check === undefined || at === null || size === null) continue;
    const start = slot - BigInt(at.offset);
    if (start < low || start + BigInt(size) > high) continue;
    const word = (name: string) => {
      const found = kernel.types.member(struct, name);
      return found === null ? null : kernel.memory.u64(start + BigInt(found.offset));
    };
    if (check(word, kernel, start)) return role;
  }
  return null;
}

/** LIST_POISON2, which a timer's link gets when it is taken off its list (include/linux/poison.h). */
const POISON = 0xdead000000000122n;

/** Pending: what `pprev` points at points back. Else it is cleared (detach_timer, kernel/time/timer.c). */
function isTimer(word: (member: string) => bigint | null, kernel: Kernel, start: bigint): boolean {
  const next = word("entry.next");
  const previous = word("entry.pprev");
  if (previous === null) return false;
  return previous === 0n ? next === POISON || next === 0n : kernel.memory.u64(previous) === start;
}

/** On a list, or initialised: the links of its neighbours, or its own, lead back (INIT_LIST_HEAD). */
function isWork(word: (member: string) => bigint | null, kernel: Kernel, start: bigint): boolean {
  const next = word("entry.next");
  const entry = kernel.types.member("work_struct", "entry");
  if (next === null || entry === null) return false;
  return kernel.memory.u64(next + 8n) === start + BigInt(entry.offset);
}

/** Its base is a clock base of a CPU, which points back at that CPU's (struct hrtimer_clock_base.cpu_base). */
function isHighResolutionTimer(word: (member: string) => bigint | null, kernel: Kernel): boolean {
  const base = word("base");
  return base !== null && base >= 0xffff000000000000n && (kernel.memory.u64(base) ?? 0n) >= 0xffff000000000000n;
}

/** What the function at `callback` may be called with: the structs it can be a member of, and words kept beside it. */
export function callGuesses(kernel: Kernel, callback: Callback, low: bigint, high: bigint): CallGuess[] {
  const guesses: CallGuess[] = [];
  const seen = new Set<string>();
  const add = (role: string | null, register: string, value: bigint) => {
    const key = `${register}:${value}`;
    if (seen.has(key)) return;
    seen.add(key);
    guesses.push({ role, args: new Map([[register, value]]) });
  };
  for (const { struct, member, role } of EMBEDDED) {
    const at = kernel.types.member(struct, member);
    if (at === null) continue;
    const start = callback.slot - BigInt(at.offset);
    if (start >= low && start < high) add(callback.role === role ? role : null, "rdi", start);
  }
  add(null, "rdi", low);
  // (function, data) pairs: data kept behind or before the function, given as first or second argument.
  for (const slot of [callback.slot + 8n, callback.slot - 8n]) {
    const data = slot >= low && slot + 8n <= high ? kernel.memory.u64(slot) : null;
    if (data === null || data < 0xffff000000000000n) continue;
    add(null, "rdi", data);
    add(null, "rsi", data);
  }
  return guesses;
}
