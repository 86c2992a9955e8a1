/** Frames that end elsewhere than their unwind data say. */
import { hex } from "./link.ts";
import { dropFirst, type InferredFrame, type Recovery } from "./recovery.ts";
import type { WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";
import { type BrokenLink, walkStrict } from "./walk.ts";

/** How far above its place a displaced return address is looked for. Bytes. */
const MAX_DISPLACED_UP = 128n;

/**
 * Does the callee's frame end elsewhere than its unwind data says? Entered in its middle, no prologue of its own ran, and
 * the return address of whoever called it lies inside what seems its frame; with a push too many or too few, it lies some
 * words above. Either way the stack is proven to its end from there.
 */
export function recoverDisplaced(context: UnwindContext, broken: BrokenLink): Recovery | null {
  const { callee, cfa, state } = broken;
  if (callee === null || cfa === null) return null;
  const registers = new Map(state.registers);
  registers.delete("rsp");
  for (let slot = (state.sp + 7n) & ~7n; slot < cfa + MAX_DISPLACED_UP; slot += 8n) {
    const found = context.kernel.memory.u64(slot);
    if (slot === cfa - 8n || found === null || !context.kernel.symbols.isText(found - 1n)) continue;
    const site = context.callSite(found);
    const reach = site === null ? "no" : context.reaches(site, callee);
    // Above, everything is somebody's frame: only a call that certainly goes to the callee counts.
    if (reach === "no" || (slot >= cfa && reach !== "direct")) continue;
    const caller: WalkState = { pc: found, exact: false, sp: slot + 8n, registers };
    const walk = walkStrict(context, caller);
    if (walk.broken !== null) continue;
    const where = slot < cfa ? "inside what would be the frame" : `${slot + 8n - cfa} bytes above the end of the frame`;
    const why = `the return address at ${hex(slot)} lies ${where} of ${callee.name}, and from it the stack is proven to its end`;
    const first: InferredFrame = { state: caller, cfa: walk.frames[0]?.cfa ?? null, why };
    return { inferred: [first], rest: dropFirst(walk), gap: null, displaced: slot + 8n, returned: null };
  }
  return null;
}
