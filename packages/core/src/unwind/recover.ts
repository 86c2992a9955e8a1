/**
 * Forensic reconstruction: the frames between one whose return address is destroyed and the intact ones further up.
 *
 * A hypothesis is a chain of callers, innermost first. It is believed only if the frame sizes at its calls add up exactly
 * to a place from which the stack is proven, link by link, to its end. Fewer destroyed links win; among equals, what keeps
 * more bytes of the overwritten words.
 */
import type { FunctionRange } from "../symbols/symbol-table.ts";
import { beyondGap, joinAt, recoverByBridge } from "./both-ends.ts";
import {
  type Anchor,
  type Candidate,
  findAnchors,
  fromAnchors,
  fromDirectCallers,
  fromPartialOverwrite,
} from "./candidates.ts";
import { recoverDisplaced } from "./displaced.ts";
import { describe } from "./link.ts";
import { dropFirst, type InferredFrame, type Recovery } from "./recovery.ts";
import type { WalkState } from "./step.ts";
import type { UnwindContext } from "./unwind-context.ts";
import { type BrokenLink, type Walk, walkStrict } from "./walk.ts";

/** Rank from which a solution rests on nothing but the word in question; anything better founded goes before it. */
const AT_ITS_WORD = 4;

/** Destroyed links bridged in a row. */
const MAX_DESTROYED = 8;
/** Hypotheses kept at each depth. */
const MAX_HYPOTHESES = 64;
const MAX_ANCHORS = 24;
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
