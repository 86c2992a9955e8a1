/**
 * The link between two frames: does the word at a frame's return slot really come from a call that entered this frame?
 */
import type { Reach } from "../code/call-site.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { threadStart } from "./thread-start.ts";
import { tracedReturn } from "./traced-return.ts";
import { unnamedCallReaches } from "./unnamed-code.ts";
import type { UnwindContext } from "./unwind-context.ts";

export type Link =
  | { readonly ok: true; readonly returnAddress: bigint; readonly reach: Exclude<Reach, "no"> | "entry" | "freed" }
  | {
      readonly ok: false;
      readonly found: bigint | null;
      readonly reason: string;
      /** It leads into code that the kernel made at run time (ftrace, kprobes, BPF): nothing is wrong, but nothing is known. */
      readonly dynamic?: boolean;
    };

/**
 * Checks the return address that lies at `slot`, which is said to lead out of `callee` (null: not known which function).
 */
export function checkLink(context: UnwindContext, slot: bigint, callee: FunctionRange | null): Link {
  const found = context.kernel.memory.u64(slot);
  if (found === null) return { ok: false, found, reason: `the stack at ${hex(slot)} is not in the dump` };
  const link = checkReturnAddress(context, tracedReturn(context, slot, found) ?? found, callee);
  if (!link.ok && threadStart(context, slot) === "address") return { ok: true, returnAddress: found, reach: "entry" };
  return link;
}

/** The same for a value that is not (or not yet) on the stack. */
export function checkReturnAddress(context: UnwindContext, found: bigint, callee: FunctionRange | null): Link {
  if (!context.kernel.symbols.isText(found)) {
    // The last instruction of the text may be the call, so one past the end still counts.
    if (!context.kernel.symbols.isText(found - 1n)) {
      const dynamic = context.kernel.memory.protection?.(found)?.executable === true;
      const what = dynamic ? "is in code that was made at run time (ftrace, kprobes or BPF)" : "is not code";
      return { ok: false, found, reason: `${hex(found)} ${what}`, dynamic };
    }
  }
  const site = context.callSite(found);
  if (site === null) {
    // Where a CPU or a kernel thread starts, the "return address" was put there by hand and no call precedes it.
    if (context.orcAt(found)?.type === "end" || context.orcAt(found - 1n)?.type === "end") {
      return { ok: true, returnAddress: found, reach: "entry" };
    }
    if (context.functionAt(found - 1n) === null) {
      const reach = unnamedCallReaches(context, found, callee);
      if (reach !== "no") return { ok: true, returnAddress: found, reach };
    }
    // Code of the boot is gone when it is done, but where it called is still on the idle task's stack.
    if (context.isInitText(found)) return { ok: true, returnAddress: found, reach: "freed" };
    return { ok: false, found, reason: `${describe(context, found)} follows no call instruction` };
  }
  if (callee === null) return { ok: true, returnAddress: found, reach: site.target === null ? "indirect" : "direct" };
  const reach = context.reaches(site, callee);
  if (reach === "no") {
    const target = site.target === null ? "elsewhere" : describe(context, site.target);
    return {
      ok: false,
      found,
      reason: `the call before ${describe(context, found)} goes to ${target}, not to ${callee.name}`,
    };
  }
  return { ok: true, returnAddress: found, reach };
}

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** "function+offset" where known, else the address. */
export function describe(context: UnwindContext, address: bigint): string {
  const range = context.functionAt(address);
  if (range === null) return hex(address);
  const offset = address - range.start;
  return offset === 0n ? range.name : `${range.name}+${offset}`;
}
