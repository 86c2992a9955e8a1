/** The stack below the innermost frame: never used, or used by calls that are over; and what lies below the stack. */
import type { StackRange } from "../kernel/kernel.ts";
import { STACK_END_MAGIC } from "../kernel/stack-end.ts";
import type { MapContext } from "./map-context.ts";
import type { StackContents } from "./stack-contents.ts";
import type { MappedStack, RegionKind } from "./stack-map.ts";

/** STACKLEAK_POISON, include/linux/stackleak.h: what the stackleak plugin fills unused stack with. */
const STACKLEAK_POISON = 0xffff_ffff_ffff_4111n;

interface Part {
  readonly kind: RegionKind;
  readonly start: bigint;
  readonly end: bigint;
  readonly label: string;
  readonly why: string | null;
}

/**
 * The parts from the stack's low end to `lowest`, the innermost frame's RSP. Stacks are zeroed when a task gets them
 * (since 4.14 with CONFIG_VMAP_STACK), so that words that are still zero from the low end up were never written, or only
 * with zeros.
 */
export function belowFrames(
  contents: StackContents,
  stack: StackRange,
  lowest: bigint,
  hasFrames: boolean,
): { parts: Part[]; deepestUse: number | null } {
  const parts: Part[] = [];
  if (lowest <= stack.low) return { parts, deepestUse: null };
  const marker = contents.endMarker;
  let start = stack.low;
  if (marker !== null && marker + 8n <= lowest) {
    if (marker > start) parts.push({ kind: "unclaimed", start, end: marker, label: "struct thread_info", why: null });
    const why =
      "The kernel puts this word at the low end of every task's stack; it checks it in the scheduler and in an oops.";
    parts.push({ kind: "end-marker", start: marker, end: marker + 8n, label: "STACK_END_MAGIC", why });
    start = marker + 8n;
    const written = contents.value(marker);
    let same = start;
    while (written !== STACK_END_MAGIC && written !== null && same < lowest && contents.value(same) === written)
      same += 8n;
    if (same > start) {
      parts.push({ kind: "left-over", start, end: same, label: "overwritten with the same", why: null });
      start = same;
    }
  }
  const first = start;
  let absent = start;
  while (absent < lowest && contents.value(absent) === null) absent += 8n;
  if (absent > start) {
    parts.push({ kind: "unclaimed", start, end: absent, label: "not in the dump", why: null });
    start = absent;
  }
  const fill = contents.value(start) === STACKLEAK_POISON ? STACKLEAK_POISON : 0n;
  let touched = start;
  while (touched < lowest && contents.value(touched) === fill) touched += 8n;
  if (touched > start) {
    const why =
      fill === 0n
        ? "Still zero, as the kernel left it: nothing was ever written here, or only zeros."
        : "Still filled with the poison of the stackleak plugin: nothing was written here since the last system call.";
    parts.push({ kind: "untouched", start, end: touched, label: "never used", why });
  }
  if (touched < lowest) {
    parts.push(
      hasFrames
        ? {
            kind: "left-over",
            start: touched,
            end: lowest,
            label: "left by earlier calls",
            why: "Below the innermost frame: what earlier calls left behind. Nothing here is in use.",
          }
        : {
            kind: "unclaimed",
            start: touched,
            end: lowest,
            label: "no known frame",
            why: "No frame is known here, so what is in use cannot be told from what earlier calls left.",
          },
    );
  }
  // Without any untouched word at the low end there is no telling how deep it went.
  return { parts, deepestUse: touched > first && absent === first ? Number(stack.high - touched) : null };
}

/** Is the page below the stack mapped? */
export function guardBelow(context: MapContext, stack: StackRange): MappedStack["guard"] {
  if (stack.guardBelow === true) return "unmapped";
  const fault = context.kernel.memory.explain(stack.low - 8n);
  if (fault === null) return "mapped";
  if (fault.reason === "unmapped") return "unmapped";
  // Mapped, if the page tables were there to say so: then the page frame itself is what is missing.
  return context.kernel.memory.translate(stack.low - 8n) === null ? "unknown" : "mapped";
}
