/** Which stack a log is about and where it lies, as printed or as it follows from the address that could not be touched. */
import type { StackKind } from "../kernel/kernel.ts";
import type { Headline, PrintedStack, StackMarker } from "./console/report.ts";
import type { LogFacts } from "./log-facts.ts";

export interface StackBounds {
  readonly kind: StackKind;
  /** "NMI", "DF" … of an exception stack; empty else. */
  readonly name: string;
  readonly low: bigint;
  /** One past the highest byte; null where its size is not known. */
  readonly high: bigint | null;
  /** Printed by the kernel, or told from the size that this release's stacks have. */
  readonly printed: boolean;
}

const PAGE = 4096n;

/** What the kernel calls a stack (`stack_type_name`, arch/x86/kernel/dumpstack_64.c), in a guard page's report or as a marker. */
export function stackKindOf(name: string | null): { kind: StackKind; name: string } {
  const bare = (name ?? "TASK").replace(/^#/, "").toUpperCase();
  if (bare === "TASK") return { kind: "task", name: "" };
  if (bare === "IRQ" || bare === "OVERFLOW") return { kind: "hardirq", name: "" };
  if (bare === "SOFTIRQ") return { kind: "softirq", name: "" };
  if (bare.startsWith("ENTRY") || bare === "SYSENTER") return { kind: "entry", name: "" };
  return /^(?:DF|NMI|DB\d?|MCE?|VC2?|DEBUG)$/.test(bare)
    ? { kind: "exception", name: bare }
    : { kind: "task", name: "" };
}

/**
 * Size of an x86_64 stack in bytes, by release: task stacks 8 KiB, since 3.15 (6538b8ea886e) 16 KiB; IRQ stacks 16 KiB;
 * exception stacks 4 KiB, since 5.14 (7fae4c24a2b8) 8 KiB; all twice that with KASAN. Null where not known.
 */
export function stackSize(kind: StackKind, release: string | null, kasan: boolean): bigint | null {
  const version = /^(\d+)\.(\d+)/.exec(release ?? "");
  if (version === null) return null;
  const number = Number(version[1]) * 1000 + Number(version[2]);
  const twice = kasan ? 2n : 1n;
  if (kind === "exception") return (number >= 5014 ? 8192n : 4096n) * twice;
  if (kind === "entry") return PAGE;
  if (kind !== "task") return 16384n * twice;
  // RHEL 7's 3.10 has 16 KiB too.
  return (number >= 3015 || /\.el7/.test(release!) ? 16384n : 8192n) * twice;
}

/** The stack whose low end lies just above `touched`: bounds for a guard page that was hit. */
export function boundsAbove(facts: LogFacts, touched: bigint, name: string | null): StackBounds {
  const { kind, name: exception } = stackKindOf(name);
  const printed = facts.crash.stacks.find((stack) => touched < stack.low && touched >= stack.low - PAGE);
  const low = printed?.low ?? (touched & ~(PAGE - 1n)) + PAGE;
  if (printed?.high != null) return { kind, name: exception, low, high: printed.high, printed: true };
  const size = facts.arch === "x86_64" ? stackSize(kind, facts.release, facts.kasan) : null;
  // A task's stack is aligned to its size; a low end that is not is another size's.
  const fits = size !== null && (kind !== "task" || low % size === 0n);
  return { kind, name: exception, low, high: fits ? low + size : null, printed: false };
}

/** The printed stack whose range, or the page below it, holds `sp`. */
export function printedAt(stacks: readonly PrintedStack[], sp: bigint): { stack: PrintedStack; below: boolean } | null {
  for (const stack of stacks) {
    if (sp >= stack.low && (stack.high === null ? sp < stack.low + 32768n : sp < stack.high))
      return { stack, below: false };
  }
  for (const stack of stacks) if (sp < stack.low && sp >= stack.low - 2n * PAGE) return { stack, below: true };
  return null;
}

/** The name of the stack that a headline or the innermost marker gives. */
export function stackNameOf(headline: Headline | null, marker: StackMarker | null): string | null {
  return headline?.detail ?? marker;
}

/** "task stack", "NMI exception stack". */
export function boundsName(bounds: Pick<StackBounds, "kind" | "name">): string {
  return `${bounds.name === "" ? bounds.kind : `${bounds.name} ${bounds.kind}`} stack`;
}
