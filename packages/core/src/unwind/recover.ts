/**
 * Forensic reconstruction: the frames between one whose return address is destroyed and the intact ones further up.
 *
 * A hypothesis is a chain of callers, innermost first. It is believed only if the frame sizes at its calls add up exactly
 * to a place from which the stack is proven, link by link, to its end. Fewer destroyed links win; among equals, what keeps
 * more bytes of the overwritten words.
 */
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { type BridgeGoal, bridgeDown } from "./bridge.ts";
import {
  type Anchor,
  type Candidate,
  findAnchors,
  fromAnchors,
  fromDirectCallers,
  fromPartialOverwrite,
} from "./candidates.ts";
import { describe, hex } from "./link.ts";
import { frameSizeAtCall, type WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";
import { type BrokenLink, type Walk, walkStrict } from "./walk.ts";

export interface InferredFrame {
  readonly state: WalkState;
  readonly cfa: bigint | null;
  readonly why: string;
  /** Only that the function was entered is known, not where in it the call was; `state.pc` is then its first address. */
  readonly entered?: boolean;
}

export interface Recovery {
  /** Frames whose return addresses were destroyed, innermost first. */
  readonly inferred: readonly InferredFrame[];
  /** The proven rest, to the end of the stack. Its first frame is the last inferred one's caller. */
  readonly rest: Walk;
  /** Where frames are missing between the last inferred one (or the callee) and the rest: words, else null. */
  readonly gap: string | null;
  /**
   * CFA that the intact stack proves for the callee, where it is not the one its unwind data gives: its code runs on a frame
   * that its own entry did not build. Null in all other cases.
   */
  readonly displaced: bigint | null;
  /**
   * The function whose return went astray, where the CPU was found in no function (it returned to a bad address): what the
   * recovered caller called there. Null in all other cases.
   */
  readonly returned: FunctionRange | null;
}

/** Rank from which a solution rests on nothing but the word in question; anything better founded goes before it. */
const AT_ITS_WORD = 4;

/** Destroyed links bridged in a row. */
const MAX_DESTROYED = 8;
/** Hypotheses kept at each depth. */
const MAX_HYPOTHESES = 64;
const MAX_ANCHORS = 24;
/** Anchors from which a bridge downwards is tried. */
const MAX_BRIDGED_ANCHORS = 3;
/** Only-possible callers followed in a row. */
const MAX_CLIMB = 16;
/** Walks tried for one broken link; past them the stack is too far gone to be worth more time. */
const MAX_WALKS = 2000;

interface Hypothesis {
  readonly inferred: readonly InferredFrame[];
  readonly broken: BrokenLink;
  readonly rank: number;
}

/** Finds what lies beyond a broken link; null where nothing further up can be proven. */
export function recover(context: UnwindContext, broken: BrokenLink): Recovery | null {
  if (broken.cfa === null) return recoverWithoutFrame(context, broken);
  const anchors = findAnchors(context, broken.cfa - 8n, MAX_ANCHORS);
  let level: Hypothesis[] = [{ inferred: [], broken, rank: 0 }];
  let walks = 0;
  for (let depth = 0; depth < MAX_DESTROYED && level.length > 0; depth++) {
    const solutions: { recovery: Recovery; rank: number }[] = [];
    const next: Hypothesis[] = [];
    for (const hypothesis of level) {
      for (const candidate of candidatesFor(context, hypothesis.broken, anchors)) {
        if (walks++ >= MAX_WALKS) break;
        const state: WalkState = {
          pc: candidate.returnAddress,
          exact: false,
          sp: hypothesis.broken.cfa!,
          registers: hypothesis.broken.registers,
        };
        const walk = walkStrict(context, state);
        const rank = hypothesis.rank + candidate.rank;
        const own: InferredFrame = { state, cfa: walk.frames[0]?.cfa ?? null, why: candidate.why };
        const inferred = [...hypothesis.inferred, own];
        if (walk.broken === null) {
          const returned = broken.callee === null ? calledBefore(context, inferred[0]!.state.pc) : null;
          const recovery = { inferred, rest: dropFirst(walk), gap: null, displaced: null, returned };
          solutions.push({ recovery, rank });
        } else if (walk.frames.length === 1 && walk.broken.cfa !== null)
          next.push({ inferred, broken: walk.broken, rank });
        // The next return address looks possible, but leads nowhere: it may be overwritten with what only looks like one.
        else next.push({ inferred, broken: destroyedAfterAll(context, walk), rank: rank + 0.5 });
      }
    }
    const best = solutions.sort((a, b) => a.rank - b.rank)[0];
    if (best !== undefined) {
      const displaced = best.rank >= AT_ITS_WORD ? recoverDisplaced(context, broken) : null;
      return displaced ?? withDoubt(context, best.recovery, solutions);
    }
    level = next
      .filter((one) => one.broken.cfa !== null)
      .sort((a, b) => a.rank - b.rank)
      .slice(0, MAX_HYPOTHESES);
  }
  return (
    recoverDisplaced(context, broken) ??
    recoverByBridge(context, anchors, broken) ??
    beyondGap(context, anchors, broken)
  );
}

/** The link out of a walk's first frame, taken for destroyed although it could be true. */
function destroyedAfterAll(context: UnwindContext, walk: Walk): BrokenLink {
  const { state, cfa } = walk.frames[0]!;
  return {
    callee: context.functionAt(state.pc - 1n),
    cfa,
    found: cfa === null ? null : context.kernel.memory.u64(cfa - 8n),
    reason: "what lies there is a return address, but not one from which the stack can be followed",
    registers: walk.broken?.registers ?? state.registers,
    state,
  };
}

/** The function that the call before a return address goes to; null for a call through a pointer. */
function calledBefore(context: UnwindContext, returnAddress: bigint): FunctionRange | null {
  const target = context.callSite(returnAddress)?.target ?? null;
  return target === null ? null : context.functionAt(target);
}

/**
 * From intact return addresses down to the destroyed end: to the callee itself, or to a caller of it that is the only one
 * possible.
 */
function recoverByBridge(context: UnwindContext, anchors: readonly Anchor[], broken: BrokenLink): Recovery | null {
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

function dropFirst(walk: Walk): Walk {
  return { ...walk, frames: walk.frames.slice(1) };
}

function candidatesFor(context: UnwindContext, broken: BrokenLink, anchors: readonly Anchor[]): Candidate[] {
  const { callee, cfa, found } = broken;
  const unique = new Map<bigint, Candidate>();
  const add = (candidates: readonly Candidate[]) => {
    for (const candidate of candidates) {
      const known = unique.get(candidate.returnAddress);
      if (known === undefined || candidate.rank < known.rank) unique.set(candidate.returnAddress, candidate);
    }
  };
  if (callee !== null && found !== null) add(fromPartialOverwrite(context, callee, found));
  add(fromAnchors(context, anchors, callee, cfa!, found));
  if (callee !== null && (unique.size === 0 || callee.module !== null)) {
    add(fromDirectCallers(context, callee, found));
  }
  if (found !== null) add(atItsWord(context, callee, found));
  return [...unique.values()].sort((a, b) => a.rank - b.rank).slice(0, MAX_HYPOTHESES);
}

/** The value found may be true after all, where a way of reaching the callee is not known to us. The last resort. */
function atItsWord(context: UnwindContext, callee: FunctionRange | null, found: bigint): Candidate[] {
  const site = context.callSite(found);
  if (site === null) return [];
  const target = site.target === null ? null : context.functionAt(site.target);
  return [
    {
      returnAddress: found,
      why: `the call before it goes to ${target?.name ?? "a pointer"}; how ${callee?.name ?? "the code below"} was reached from there is not known`,
      rank: AT_ITS_WORD,
    },
  ];
}

/** How far above its place a displaced return address is looked for. Bytes. */
const MAX_DISPLACED_UP = 128n;

/**
 * Does the callee's frame end elsewhere than its unwind data says? Entered in its middle, no prologue of its own ran, and
 * the return address of whoever called it lies inside what seems its frame; with a push too many or too few, it lies some
 * words above. Either way the stack is proven to its end from there.
 */
function recoverDisplaced(context: UnwindContext, broken: BrokenLink): Recovery | null {
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

/** Names the doubt where several call sites explain the stack equally well. */
function withDoubt(
  context: UnwindContext,
  recovery: Recovery,
  solutions: readonly { recovery: Recovery; rank: number }[],
): Recovery {
  const first = recovery.inferred[0]!;
  const others = new Set<string>();
  for (const solution of solutions) {
    const other = solution.recovery.inferred[0]!;
    if (other.state.pc !== first.state.pc) others.add(describe(context, other.state.pc));
  }
  if (others.size === 0) return recovery;
  const doubt = `${first.why} (the stack would also allow ${[...others].slice(0, 3).join(", ")})`;
  return { ...recovery, inferred: [{ ...first, why: doubt }, ...recovery.inferred.slice(1)] };
}

/**
 * Nothing joins exactly. What is certain from both sides is still said: callers that are the only ones possible, from the
 * destroyed end upwards; and further up the lowest intact return address, with the function that its call entered.
 */
function beyondGap(context: UnwindContext, anchors: readonly Anchor[], broken: BrokenLink): Recovery | null {
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

function joinAt(context: UnwindContext, anchor: Anchor, because: string): Recovery {
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

/** The callee's own frame is not known: the first anchor above RSP whose call can reach it. */
function recoverWithoutFrame(context: UnwindContext, broken: BrokenLink): Recovery | null {
  const sp = broken.registers.get("rsp");
  if (sp === undefined) return null;
  const anchors = findAnchors(context, sp - (sp % 8n), MAX_ANCHORS);
  const joined = anchors.find((anchor) => {
    if (broken.callee === null || anchor.target === null) return false;
    const site = context.callSite(anchor.returnAddress);
    return site !== null && context.reaches(site, broken.callee) !== "no";
  });
  if (joined !== undefined) return { ...joinAt(context, joined, broken.reason), gap: null };
  return beyondGap(context, anchors, broken);
}
