/** What ftrace's stack tracer saw against the call graph: who called whom, the size of each frame, how deep it was. */
import { type CallGraph, DEPTH_KINDS, type DepthKind } from "../call-graph.ts";
import { RETURN_ADDRESS_BYTES } from "../depths.ts";
import type { CallMatcher } from "./call-matcher.ts";
import type { SeenChain, SeenFrame } from "./observed-depths.ts";
import type { TracedFrame } from "./read-recording.ts";
import {
  compareSize,
  functionOfReturn,
  newRecall,
  newSizes,
  type Recall,
  type SizeComparison,
  tally,
} from "./recall.ts";

/** A frame whose place in the graph is known. */
interface PlacedFrame {
  readonly frame: TracedFrame;
  /** Its return address; after an interrupt's entry the very instruction that was interrupted. */
  readonly at: number;
  readonly f: number;
}

/** Gives frames their places by name, module and offset; null where no function has the name, or several do. */
class Places {
  readonly #matcher: CallMatcher;
  readonly #byName = new Map<string, number[]>();

  constructor(matcher: CallMatcher) {
    this.#matcher = matcher;
    const { name } = matcher.graph.functions satisfies CallGraph["functions"];
    name.forEach((own, f) => {
      const same = this.#byName.get(own);
      if (same === undefined) this.#byName.set(own, [f]);
      else same.push(f);
    });
  }

  of(chain: readonly TracedFrame[]): (PlacedFrame | null)[] {
    const { start, module } = this.#matcher.graph.functions;
    let interrupted = false;
    return chain.map((frame) => {
      const found = (this.#byName.get(frame.name) ?? []).filter((f) => module[f] === frame.module);
      const at = found.length === 1 ? (start[found[0] as number] as number) + frame.offset : null;
      const exact = interrupted;
      interrupted = false;
      if (at === null) return null;
      const f = exact ? this.#matcher.functionAt(at) : functionOfReturn(this.#matcher, at);
      if (f < 0) return null;
      interrupted = this.#matcher.isInterruptEntry(f);
      return { frame, at, f };
    });
  }
}

export interface StackTracerComparison {
  readonly recall: Recall;
  /**
   * Of each frame but the innermost, which ends where ftrace looked, and the outermost, which ends at the stack's top; nor of
   * one that an interrupt's entry lies below: its size is that of the registers.
   */
  readonly sizes: SizeComparison;
  /**
   * Lines whose depth is not their frame's. The tracer looks for each return address by its value, upwards from the one before
   * (check_stack, kernel/trace/trace_stack.c), and may come upon a copy in the frame below, left there by an earlier call or put
   * there by code that aligns its stack: the two sizes beside it are wrong by as much, and their sum is right.
   */
  readonly displaced: number;
  /** For DepthJudge. */
  readonly chains: readonly SeenChain[];
}

export function compareStackTracer(
  matcher: CallMatcher,
  traced: readonly (readonly TracedFrame[])[],
): StackTracerComparison {
  const recall = newRecall();
  const sizes = newSizes();
  const places = new Places(matcher);
  const seen = new Set<string>();
  const chains: SeenChain[] = [];
  let displaced = 0;
  for (const read of traced) {
    const placed = places.of(read);
    const chain = straightened(matcher, read, placed);
    for (let i = 0; i + 1 < chain.length; i++) {
      const [inner, outer] = [placed[i], placed[i + 1]];
      const last = i + 2 === chain.length;
      const size = (chain[i + 1] as TracedFrame).size;
      const key = `${inner?.at} ${outer?.at} ${size} ${last}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (chain[i]?.depth !== read[i]?.depth) displaced++;
      if (!inner || !outer || matcher.isInterruptEntry(inner.f) || matcher.isFarReturn(outer.at)) {
        recall.outside++;
        continue;
      }
      tally(recall, matcher.matchCall(outer.at, inner.f), outer.at, inner.at);
      if (!last && !matcher.isInterruptEntry(outer.f)) compareSize(sizes, matcher, outer.at, size);
    }
    chains.push(...chainsOf(matcher, chain, placed));
  }
  return { recall, sizes, chains, displaced };
}

/**
 * The chain with displaced lines put right: the innermost line that lies in the kernel's own frames (the tracer's are below it,
 * with copies of registers) where it is too deep, and any other where it makes two sizes wrong whose sum is right.
 */
function straightened(
  matcher: CallMatcher,
  chain: readonly TracedFrame[],
  placed: readonly (PlacedFrame | null)[],
): readonly TracedFrame[] {
  const right = [...chain];
  for (let i = right.length - 2; i > 0; i--) {
    const [frame, below] = [right[i] as TracedFrame, right[i - 1] as TracedFrame];
    const expected = sizeOf(matcher, placed[i]);
    if (expected?.kind !== "exact" || frame.size <= expected.bytes) continue;
    const expectedBelow = sizeOf(matcher, placed[i - 1]);
    const tooFar = frame.size - expected.bytes;
    const sum = below.size + tooFar;
    const fits =
      (expectedBelow?.kind === "exact" && sum === expectedBelow.bytes) ||
      (expectedBelow?.kind === "at-most" && sum <= expectedBelow.bytes);
    if (i > 1 && !fits) continue;
    right[i] = { ...frame, size: expected.bytes, depth: frame.depth - tooFar };
    right[i - 1] = { ...below, size: sum };
  }
  return right;
}

/** What the graph says that a frame takes above its callee's; null where it says several things. */
function sizeOf(
  matcher: CallMatcher,
  place: PlacedFrame | null | undefined,
): { kind: DepthKind; bytes: number } | null {
  if (!place) return null;
  const { bytes, depthKind } = matcher.graph.sites;
  const [first, ...others] = matcher.sitesBefore(place.at);
  if (first === undefined) return null;
  const same = others.every((site) => bytes[site] === bytes[first] && depthKind[site] === depthKind[first]);
  const kind = DEPTH_KINDS[depthKind[first] as number];
  return same && kind !== undefined ? { kind, bytes: bytes[first] as number } : null;
}

/** A line tells where a return address lies: just above it the frame of the line before begins. */
function chainsOf(
  matcher: CallMatcher,
  chain: readonly TracedFrame[],
  placed: readonly (PlacedFrame | null)[],
): SeenChain[] {
  const found: SeenChain[] = [];
  const outermost = chain.at(-1);
  let fromTop = outermost !== undefined && outermost.depth === outermost.size;
  let frames: SeenFrame[] = [];
  let afterGap = false;
  for (let i = chain.length - 1; i > 0; i--) {
    const callee = placed[i - 1];
    // Functions of one name cannot be told apart.
    if (callee === null || callee === undefined) {
      afterGap = true;
      continue;
    }
    if (matcher.isInterruptEntry(callee.f) && frames.length > 0) {
      found.push({ fromTop, frames });
      fromTop = false;
      frames = [];
    }
    const above = (chain[i] as TracedFrame).depth - RETURN_ADDRESS_BYTES;
    frames.push({ f: callee.f, above, ...(afterGap ? { afterGap } : {}) });
    afterGap = false;
  }
  return frames.length > 0 ? [...found, { fromTop, frames }] : found;
}
