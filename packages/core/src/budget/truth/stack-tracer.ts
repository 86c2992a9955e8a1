/** What ftrace's stack tracer saw against the call graph: who called whom, the size of each frame, how deep it was. */
import type { CallGraph } from "../call-graph.ts";
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
  /** Of each frame but the innermost, which ends where ftrace looked, and the outermost, which ends at the stack's top. */
  readonly sizes: SizeComparison;
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
  for (const chain of traced) {
    const placed = places.of(chain);
    chains.push(...chainsOf(matcher, chain, placed));
    for (let i = 0; i + 1 < chain.length; i++) {
      const [inner, outer] = [placed[i], placed[i + 1]];
      const last = i + 2 === chain.length;
      const key = `${inner?.at} ${outer?.at} ${chain[i + 1]?.size} ${last}`;
      if (seen.has(key)) continue;
      seen.add(key);
      if (!inner || !outer || matcher.isInterruptEntry(inner.f) || matcher.isFarReturn(outer.at)) {
        recall.outside++;
        continue;
      }
      tally(recall, matcher.matchCall(outer.at, inner.f), outer.at, inner.at);
      if (!last) compareSize(sizes, matcher, outer.at, outer.frame.size);
    }
  }
  return { recall, sizes, chains };
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
  for (let i = chain.length - 1; i > 0; i--) {
    const callee = placed[i - 1];
    // Functions of one name cannot be told apart.
    if (callee === null || callee === undefined) continue;
    if (matcher.isInterruptEntry(callee.f) && frames.length > 0) {
      found.push({ fromTop, frames });
      fromTop = false;
      frames = [];
    }
    frames.push({ f: callee.f, above: (chain[i] as TracedFrame).depth - RETURN_ADDRESS_BYTES });
  }
  return frames.length > 0 ? [...found, { fromTop, frames }] : found;
}
