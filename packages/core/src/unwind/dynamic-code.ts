/** Code that the kernel makes while it runs (ftrace trampolines, BPF, kprobes): no symbols, no unwind data. */
import { checkLink } from "./link.ts";
import type { UnwindContext } from "./unwind-context.ts";

/** How far above its return address the caller of such code is looked for: past a pt_regs and some. Words. */
const MAX_DYNAMIC_FRAME = 64;

/**
 * The slot of the return address by which code made at run time returns to its caller, looked for from `from` on; null where
 * there is none. The caller is a traced function's entry: its call goes to such code too. A trampoline keeps copies of that
 * return address below (in the pt_regs that it fills for the tracer, arch/x86/kernel/ftrace_64.S, save_mcount_regs), and stale
 * words between. Since the call is the first that a traced function does, the true one has the function's own return address
 * right above it. Where that is destroyed, the highest copy is the best guess.
 */
export function callerOfDynamicCode(context: UnwindContext, from: bigint): bigint | null {
  const { memory, symbols } = context.kernel;
  let copy: { readonly value: bigint; slot: bigint } | null = null;
  for (let word = 0n; word < BigInt(MAX_DYNAMIC_FRAME); word++) {
    const slot = from + word * 8n;
    const value = memory.u64(slot);
    if (value === null) break;
    if (!symbols.isText(value - 1n)) continue;
    const target = context.callSite(value)?.target ?? null;
    if (target === null || symbols.isText(target) || memory.protection?.(target)?.executable !== true) continue;
    const out = checkLink(context, slot + 8n, context.functionAt(value - 1n));
    if (out.ok || out.dynamic === true) return slot;
    copy ??= { value, slot };
    if (value === copy.value) copy.slot = slot;
  }
  return copy?.slot ?? null;
}
