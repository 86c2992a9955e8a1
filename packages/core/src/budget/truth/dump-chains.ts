/** The proven frames of a dump's tasks against the call graph of its code: who called whom, by how many bytes, how deep. */
import type { Kernel, StackRange } from "../../kernel/kernel.ts";
import type { Frame } from "../../unwind/backtrace.ts";
import { backtrace } from "../../unwind/unwind.ts";
import type { CallMatcher } from "./call-matcher.ts";
import type { SeenChain, SeenFrame } from "./observed-depths.ts";
import { type Placing, samePlace } from "./places.ts";
import { compareSize, functionOfReturn, newRecall, newSizes, type Recall, type SizeComparison } from "./recall.ts";

export interface DumpComparison {
  readonly stacks: number;
  readonly recall: Recall;
  readonly sizes: SizeComparison;
  /** For DepthJudge. */
  readonly chains: readonly SeenChain[];
}

/** endbr64 and a call. Bytes. */
const LONGEST_HOOK = 9;

/**
 * Judges each distinct pair of neighbouring proven frames once, and the bytes between their CFAs.
 * @param isText whether code of the graph is at an address; what runs at start-up only is not judged
 */
export function compareDump(
  kernel: Kernel,
  matcher: CallMatcher,
  isText: (at: number) => boolean,
  placing: Placing = samePlace,
): DumpComparison {
  const recall = newRecall();
  const sizes = newSizes();
  const seen = new Set<string>();
  const chains: SeenChain[] = [];
  let stacks = 0;
  const functionOf = (frame: Frame): number => {
    // A call that does not return may be a function's last instruction.
    const at = placing(frame.interrupted ? frame.address : frame.address - 1n);
    if (at === null) return -1;
    const f = frame.interrupted ? matcher.functionAt(at) : functionOfReturn(matcher, at + 1);
    return f >= 0 && matcher.isThunk(f) ? -1 : f;
  };
  /** In the call of the tracer that a function begins with; the tracer's trampoline, which comes next, has no unwind data. */
  const isInHook = (frame: Frame): boolean => {
    const at = frame.interrupted ? null : placing(frame.address - 1n);
    return (
      at !== null && (frame.offset ?? LONGEST_HOOK + 1) <= LONGEST_HOOK && matcher.sitesBefore(at + 1).length === 0
    );
  };
  const judge = (inner: Frame, outer: Frame): void => {
    if (inner.certainty !== "proven" || outer.certainty !== "proven" || outer.interrupted) return;
    const place = placing(outer.address - 1n);
    const bytes = inner.cfa === null || outer.cfa === null ? null : Number(outer.cfa - inner.cfa);
    const sameStack = onOneStack(inner, outer);
    const key = `${inner.start} ${outer.address} ${bytes} ${sameStack}`;
    if (seen.has(key)) return;
    seen.add(key);
    const callee = isInHook(inner) ? -1 : functionOf(inner);
    if (callee < 0 || place === null || !isText(place) || matcher.isFarReturn(place + 1)) {
      recall.outside++;
      return;
    }
    const at = place + 1;
    const match = matcher.matchCall(at, callee);
    if (match.found === null) {
      recall.misses.push({ at, callee: matcher.graph.functions.start[callee] as number, reason: match.reason });
    } else recall.found[match.found]++;
    // Registers are no frame of a call.
    const caller = functionOf(outer);
    if (bytes !== null && sameStack && !(caller >= 0 && matcher.isInterruptEntry(caller)))
      compareSize(sizes, matcher, at, bytes);
  };
  const walk = (frames: readonly Frame[]): void => {
    stacks++;
    for (let i = 0; i + 1 < frames.length; i++) judge(frames[i] as Frame, frames[i + 1] as Frame);
    chains.push(...chainsOf(frames, functionOf));
  };
  for (const task of kernel.tasks()) walk(backtrace(kernel, { task: task.address }).frames);
  for (const cpu of kernel.cpus) walk(backtrace(kernel, { cpu: cpu.number }).frames);
  return { stacks, recall, sizes, chains };
}

function onOneStack(inner: Frame, outer: Frame): boolean {
  return inner.stack !== null && outer.stack !== null && inner.stack.low === outer.stack.low;
}

function isOn(cfa: bigint | null, stack: StackRange | null): boolean {
  return cfa !== null && stack !== null && cfa > stack.low && cfa <= stack.high;
}

/** The frames of one stack trace, from its outermost on, split where another stack or an interruption begins. */
function chainsOf(frames: readonly Frame[], functionOf: (frame: Frame) => number): SeenChain[] {
  const chains: SeenChain[] = [];
  let seen: SeenFrame[] | null = null;
  let stack = null as StackRange | null;
  for (let i = frames.length - 1; i >= 0; i--) {
    const frame = frames[i] as Frame;
    const outer = frames[i + 1];
    // Of a frame that switched stacks the CFA is on the stack before.
    const own: StackRange | null = [frame.stack, stack].find((one) => isOn(frame.cfa, one)) ?? null;
    const fromTop = outer === undefined || own?.low !== stack?.low;
    if (fromTop || outer.interrupted) {
      seen = [];
      chains.push({ fromTop, frames: seen });
    }
    stack = own;
    const f = functionOf(frame);
    // Behind a frame that is not known for sure no depth is.
    if (frame.certainty !== "proven" || frame.cfa === null || own === null || f < 0) seen = null;
    else seen?.push({ f, above: Number(own.high - frame.cfa) });
  }
  return chains.filter((chain) => chain.frames.length > 0);
}
