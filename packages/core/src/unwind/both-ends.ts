/**
 * What is certain at the two ends of a destroyed stretch: callers that are the only ones possible, from below, and the intact
 * return addresses above; joined by a bridge where one leads from the one to the other, with a gap said where none does.
 */
import { type BridgeGoal, bridgeDown } from "./bridge.ts";
import { type Anchor, fromDirectCallers } from "./candidates.ts";
import { hex } from "./link.ts";
import { dropFirst, type InferredFrame, type Recovery } from "./recovery.ts";
import { frameSizeAtCall, type WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";
import { type BrokenLink, type Walk, walkStrict } from "./walk.ts";

/** Anchors from which a bridge downwards is tried. */
const MAX_BRIDGED_ANCHORS = 3;
/** Only-possible callers followed in a row. */
const MAX_CLIMB = 16;

/**
 * From intact return addresses down to the destroyed end: to the callee itself, or to a caller of it that is the only one
 * possible.
 */
export function recoverByBridge(
  context: UnwindContext,
  anchors: readonly Anchor[],
  broken: BrokenLink,
): Recovery | null {
  const climbed = climbOnlyCallers(context, broken);
  for (let known = 0; known <= climbed.length; known++) {
    const lower = climbed.slice(0, known);
    const top = lower.at(-1);
    const callee = top === undefined ? broken.callee : context.functionAt(top.state.pc - 1n);
    const cfa = top === undefined ? broken.cfa : top.cfa;
    if (cfa === null || (top !== undefined && callee === null)) break;
    const bridged = bridgeTo(context, anchors, { callee, cfa, registers: broken.state.registers });
    if (bridged === null) continue;
    const returned = broken.callee === null && known === 0 ? bridged.calls.at(-1)!.callee : null;
    return { inferred: [...lower, ...bridged.inferred], rest: bridged.rest, gap: null, displaced: null, returned };
  }
  return null;
}

function bridgeTo(context: UnwindContext, anchors: readonly Anchor[], goal: BridgeGoal) {
  for (const anchor of anchors.filter((one) => one.slot + 8n > goal.cfa).slice(0, MAX_BRIDGED_ANCHORS)) {
    const calls = bridgeDown(context, anchor.returnAddress, anchor.slot + 8n, goal);
    if (calls === null) continue;
    const start: WalkState = { pc: anchor.returnAddress, exact: false, sp: anchor.slot + 8n, registers: new Map() };
    const inferred = calls.toReversed().map((call): InferredFrame => {
      const how = call.indirect ? "through a pointer (its address stands in the module's data)" : "directly";
      return {
        state: { pc: call.returnAddress, exact: false, sp: call.calleeCfa, registers: new Map() },
        cfa: call.callerCfa,
        why:
          `from the intact return address at ${hex(anchor.slot)} down, only these calls end exactly at ${hex(goal.cfa)}: ` +
          `${call.caller.name} calls ${call.callee.name} ${how}`,
      };
    });
    return { calls, inferred, rest: walkStrict(context, start) };
  }
  return null;
}

/**
 * Nothing joins exactly. What is certain from both sides is still said: callers that are the only ones possible, from the
 * destroyed end upwards; and further up the lowest intact return address, with the function that its call entered.
 */
export function beyondGap(context: UnwindContext, anchors: readonly Anchor[], broken: BrokenLink): Recovery | null {
  const climbed = climbOnlyCallers(context, broken);
  const top = climbed.at(-1)?.cfa ?? broken.cfa ?? 0n;
  const usable = anchors.filter((anchor) => anchor.slot + 8n > top);
  const anchor = usable[0];
  if (anchor === undefined) {
    if (climbed.length === 0) return null;
    const gap = `nothing further up is left that could be proven (${broken.callee?.name ?? "the code that ran"}: ${broken.reason})`;
    const rest: Walk = { frames: [], end: "lost", userRegs: null, broken };
    return { inferred: climbed, rest, gap, displaced: null, returned: null };
  }
  const joined = joinAt(context, anchor, `${broken.callee?.name ?? "the code that ran"}: ${broken.reason}`);
  return { ...joined, inferred: [...climbed, ...joined.inferred] };
}

/** Follows direct calls upwards while each function has but one place that calls it. */
function climbOnlyCallers(context: UnwindContext, broken: BrokenLink): InferredFrame[] {
  const climbed: InferredFrame[] = [];
  let { callee, cfa } = broken;
  const stack = cfa === null ? null : context.stackAt(cfa);
  while (callee !== null && cfa !== null && stack !== null && cfa < stack.high && climbed.length < MAX_CLIMB) {
    const candidates = fromDirectCallers(context, callee, null);
    const only = candidates.length === 1 ? candidates[0]! : null;
    const size = only === null ? null : frameSizeAtCall(context, only.returnAddress);
    if (only === null || size === null) break;
    const state: WalkState = { pc: only.returnAddress, exact: false, sp: cfa, registers: new Map() };
    const next: bigint = cfa + BigInt(size);
    climbed.push({ state, cfa: next, why: only.why });
    callee = context.functionAt(only.returnAddress - 1n);
    cfa = next;
  }
  return climbed;
}

export function joinAt(context: UnwindContext, anchor: Anchor, because: string): Recovery {
  const state: WalkState = { pc: anchor.returnAddress, exact: false, sp: anchor.slot + 8n, registers: new Map() };
  const walk = walkStrict(context, state);
  const proof = `the intact return address at ${hex(anchor.slot)}, from which the stack is proven to its end`;
  const first: InferredFrame = {
    state,
    cfa: walk.frames[0]?.cfa ?? null,
    why: `${proof}; frames below it are destroyed`,
  };
  const inferred = [first];
  if (anchor.target !== null) {
    inferred.unshift({
      state: { pc: anchor.target.start, exact: true, sp: anchor.slot + 8n, registers: new Map() },
      cfa: anchor.slot + 8n,
      why: `${proof}, shows that it was called; where in it the next call was is destroyed`,
      entered: true,
    });
  }
  return {
    inferred,
    rest: dropFirst(walk),
    gap: `frames are missing (${because})`,
    displaced: null,
    returned: null,
  };
}
