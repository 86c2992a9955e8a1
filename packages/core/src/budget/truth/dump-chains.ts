/** The proven frames of a dump's tasks against the call graph of its code: who called whom, and by how many bytes. */
import type { Kernel } from "../../kernel/kernel.ts";
import type { Frame } from "../../unwind/backtrace.ts";
import { backtrace } from "../../unwind/unwind.ts";
import { low32 } from "../function-table.ts";
import type { CallMatcher } from "./call-matcher.ts";
import { compareSize, functionOfReturn, newRecall, newSizes, type Recall, type SizeComparison } from "./recall.ts";

export interface DumpComparison {
  readonly chains: number;
  readonly recall: Recall;
  readonly sizes: SizeComparison;
}

/** Judges each distinct pair of neighbouring proven frames once, and the bytes between their CFAs. */
export function compareDump(kernel: Kernel, matcher: CallMatcher): DumpComparison {
  const recall = newRecall();
  const sizes = newSizes();
  const seen = new Set<string>();
  let chains = 0;
  const judge = (inner: Frame, outer: Frame): void => {
    if (inner.certainty !== "proven" || outer.certainty !== "proven" || outer.interrupted) return;
    const at = low32(outer.address);
    const bytes = inner.cfa === null || outer.cfa === null ? null : Number(outer.cfa - inner.cfa);
    const sameStack = inner.stack !== null && outer.stack !== null && inner.stack.low === outer.stack.low;
    const key = `${inner.start} ${at} ${bytes} ${sameStack}`;
    if (seen.has(key)) return;
    seen.add(key);
    const callee = inner.interrupted
      ? matcher.functionAt(low32(inner.address))
      : functionOfReturn(matcher, low32(inner.address));
    if (callee < 0) {
      recall.outside++;
      return;
    }
    const match = matcher.matchCall(at, callee);
    if (match.found === null) recall.misses.push({ at, callee: low32(inner.address), reason: match.reason });
    else recall.found[match.found]++;
    if (bytes !== null && sameStack) compareSize(sizes, matcher, at, bytes);
  };
  const walk = (frames: readonly Frame[]): void => {
    chains++;
    for (let i = 0; i + 1 < frames.length; i++) judge(frames[i] as Frame, frames[i + 1] as Frame);
  };
  for (const task of kernel.tasks()) walk(backtrace(kernel, { task: task.address }).frames);
  for (const cpu of kernel.cpus) walk(backtrace(kernel, { cpu: cpu.number }).frames);
  return { chains, recall, sizes };
}
