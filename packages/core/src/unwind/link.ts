/**
 * The link between two frames: does the word at a frame's return slot really come from a call that entered this frame?
 */
import type { Reach } from "../code/call-site.ts";
import type { FunctionRange } from "../symbols/symbol-table.ts";
import type { UnwindContext } from "./unwind-context.ts";

export type Link =
  | { readonly ok: true; readonly returnAddress: bigint; readonly reach: Exclude<Reach, "no"> | "entry" }
  | { readonly ok: false; readonly found: bigint | null; readonly reason: string };

/**
 * Checks the return address that lies at `slot`, which is said to lead out of `callee` (null: not known which function).
 */
export function checkLink(context: UnwindContext, slot: bigint, callee: FunctionRange | null): Link {
  const found = context.kernel.memory.u64(slot);
  if (found === null) return { ok: false, found, reason: `the stack at ${hex(slot)} is not in the dump` };
  return checkReturnAddress(context, found, callee);
}

/** The same for a value that is not (or not yet) on the stack. */
export function checkReturnAddress(context: UnwindContext, found: bigint, callee: FunctionRange | null): Link {
  if (!context.kernel.symbols.isText(found)) {
    // The last instruction of the text may be the call, so one past the end still counts.
    if (!context.kernel.symbols.isText(found - 1n)) return { ok: false, found, reason: `${hex(found)} is not code` };
  }
  const site = context.callSite(found);
  if (site === null) {
    // Where a CPU or a kernel thread starts, the "return address" was put there by hand and no call precedes it.
    if (context.orcAt(found)?.type === "end" || context.orcAt(found - 1n)?.type === "end") {
      return { ok: true, returnAddress: found, reach: "entry" };
    }
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
