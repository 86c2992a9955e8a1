/** Basic blocks of one function, in the order of their addresses, and the stretches of them that jump back. */
import { type CodeColumns, FLOW, mnemonicNumber } from "../../code/code-columns.ts";
import type { JumpLabels } from "./jump-labels.ts";

export interface Blocks {
  readonly count: number;
  /** First instruction of each; one more than there are blocks. */
  readonly first: Int32Array;
  readonly edgeStart: Int32Array;
  readonly edges: Int32Array;
  /** For the first block of a loop (of several that overlap): its last one; -1 for all others. */
  readonly loopEnd: Int32Array;
}

/** What stands behind jumps and returns: INT3 against straight-line speculation (CONFIG_SLS), NOP for alignment. */
const INT3 = mnemonicNumber("int3");
const NOP = mnemonicNumber("nop");

/** Does control never go on to the next instruction? */
function ends(flow: number): boolean {
  return flow === FLOW.jump || flow === FLOW["indirect-jump"] || flow === FLOW.return || flow === FLOW.invalid;
}

/** @param labels jump labels: instructions that may jump although they do not */
export function blocksOf(code: CodeColumns, labels: JumpLabels): Blocks {
  const leads = new Uint8Array(code.count + 1);
  const targeted = new Uint8Array(code.count + 1);
  // Of each jump: the instruction that it leads to, -1 outside.
  const targets = new Int32Array(code.count);
  let labelled: Map<number, number> | null = null;
  leads[0] = 1;
  for (let at = 0; at < code.count; at++) {
    const flow = code.flow[at]!;
    if (flow === FLOW.jump || flow === FLOW.conditional) {
      const target = code.indexAt(code.target[at]!);
      targets[at] = target;
      if (target >= 0) leads[target] = targeted[target] = 1;
      leads[at + 1] = 1;
    } else if (flow === FLOW["indirect-jump"] || flow === FLOW.return || !code.followed(at)) leads[at + 1] = 1;
    else if (flow === FLOW.next && isPatched(code, at)) {
      const target = labels.get(code.address[at]!);
      const index = target === undefined ? -1 : code.indexAt(target);
      if (index < 0) continue;
      labelled ??= new Map();
      labelled.set(at, index);
      leads[index] = targeted[index] = 1;
      leads[at + 1] = 1;
    }
  }
  const blockOf = new Int32Array(code.count);
  const first: number[] = [];
  for (let at = 0; at < code.count; at++) {
    if (leads[at] === 1) first.push(at);
    blockOf[at] = first.length - 1;
  }
  const count = first.length;
  first.push(code.count);
  // Code that nothing leads to is entered with whatever (by an exception table); it must not spill into what comes next.
  const isPadding = (block: number): boolean => {
    const start = first[block]!;
    if (start === 0 || targeted[start] === 1 || !ends(code.flow[start - 1]!)) return false;
    for (let at = start; at < first[block + 1]!; at++) {
      if (code.mnemonic[at] !== INT3 && code.mnemonic[at] !== NOP) return false;
    }
    return true;
  };
  const edgeStart = new Int32Array(count + 1);
  const edges: number[] = [];
  for (let block = 0; block < count; block++) {
    edgeStart[block] = edges.length;
    const last = first[block + 1]! - 1;
    const flow = code.flow[last]!;
    if (!ends(flow) && code.followed(last) && !isPadding(block)) edges.push(blockOf[last + 1]!);
    if (flow === FLOW.jump || flow === FLOW.conditional) {
      const target = targets[last]!;
      if (target >= 0) edges.push(blockOf[target]!);
    }
    const label = labelled?.get(last);
    if (label !== undefined) edges.push(blockOf[label]!);
  }
  edgeStart[count] = edges.length;
  return {
    count,
    first: Int32Array.from(first),
    edgeStart,
    edges: Int32Array.from(edges),
    loopEnd: loops(count, edgeStart, edges),
  };
}

/** A jump label is a jump or a no-operation of as many bytes (2 where the target is near, 5 else). */
function isPatched(code: CodeColumns, at: number): boolean {
  const length = code.length[at];
  return (length === 2 || length === 5) && code.operandCount[at]! <= 2;
}

/** See `Blocks.loopEnd`. */
function loops(count: number, edgeStart: Int32Array, edges: readonly number[]): Int32Array {
  const end = new Int32Array(count).fill(-1);
  for (let block = 0; block < count; block++) {
    for (let edge = edgeStart[block]!; edge < edgeStart[block + 1]!; edge++) {
      const to = edges[edge]!;
      if (to <= block) end[to] = Math.max(end[to]!, block);
    }
  }
  for (let block = 0; block < count; ) {
    let last = end[block]!;
    for (let inner = block + 1; inner <= last; inner++) last = Math.max(last, end[inner]!);
    end[block] = last;
    block = Math.max(block, last) + 1;
  }
  return end;
}
