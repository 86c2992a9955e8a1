/**
 * Follows values through the instructions of one function: what its registers and stack slots hold before each instruction,
 * until nothing changes any more. What follows from that (see function-facts.ts) is told once, in a last round.
 */
import type { CodeColumns } from "../../code/code-columns.ts";
import { BlockFinder, type Blocks } from "./blocks.ts";
import type { FlowListener, FlowQuestions } from "./flow-questions.ts";
import { InstructionFlow, type State } from "./instruction-flow.ts";
import type { JumpLabels } from "./jump-labels.ts";
import type { Value, Values } from "./values.ts";

/** Runs of one block with different states; a value keeps a few atoms only, so that this is never met but by design. */
const MOST_RUNS = 12;

export class FunctionFlow {
  readonly #instructions: InstructionFlow;
  readonly #blocks = new BlockFinder();

  constructor(values: Values) {
    this.#instructions = new InstructionFlow(values);
  }

  run(code: CodeColumns, labels: JumpLabels, questions: FlowQuestions, listener: FlowListener): void {
    if (code.count === 0) return;
    this.#instructions.begin(code, questions);
    const blocks = this.#blocks.find(code, labels);
    const states: (State | null)[] = new Array(blocks.count).fill(null);
    states[0] = this.#instructions.entryState();
    // Blocks stand in the order of their addresses: each is final once those before it are, but in loops.
    for (let block = 0; block < blocks.count; ) {
      const last = blocks.loopEnd[block]!;
      if (last >= block) {
        this.#loop(blocks, block, last, states, listener);
        block = last + 1;
        continue;
      }
      // Code that only a table of jumps, an exception or an alternative leads to.
      states[block] ??= this.#instructions.lostState(block);
      this.#instructions.listener = listener;
      this.#instructions.registers = states[block] as Value[];
      states[block] = null;
      this.#propagate(blocks, block, states, null);
      block++;
    }
  }

  /** Blocks `first` to `last`, which jump back among each other, until nothing changes. */
  #loop(blocks: Blocks, first: number, last: number, states: (State | null)[], listener: FlowListener): void {
    const dirty = new Uint8Array(last + 1 - first);
    const runs = new Uint8Array(last + 1 - first);
    for (let block = first; block <= last; block++) if (states[block] !== null) dirty[block - first] = 1;
    const front = { first, dirty, left: dirty.reduce((sum, one) => sum + one, 0) };
    this.#instructions.listener = null;
    for (let unreached = first; ; ) {
      while (front.left > 0) {
        for (let block = first; block <= last; block++) {
          if (dirty[block - first] === 0) continue;
          dirty[block - first] = 0;
          front.left--;
          if (runs[block - first]! >= MOST_RUNS) continue;
          runs[block - first]!++;
          this.#instructions.registers = (states[block] as Value[]).slice();
          this.#propagate(blocks, block, states, front);
        }
      }
      while (unreached <= last && states[unreached] !== null) unreached++;
      if (unreached > last) break;
      states[unreached] = this.#instructions.lostState(unreached);
      dirty[unreached - first] = 1;
      front.left = 1;
    }
    this.#instructions.listener = listener;
    for (let block = first; block <= last; block++) {
      this.#instructions.registers = states[block] as Value[];
      states[block] = null;
      this.#runBlock(blocks, block);
    }
  }

  /** Runs a block from the present state and hands its end state on. `front`: what became dirty is noted there. */
  #propagate(
    blocks: Blocks,
    block: number,
    states: (State | null)[],
    front: { readonly first: number; readonly dirty: Uint8Array; left: number } | null,
  ): void {
    this.#runBlock(blocks, block);
    const end = blocks.edgeStart[block + 1]!;
    for (let edge = blocks.edgeStart[block]!; edge < end; edge++) {
      const to = blocks.edges[edge]!;
      const known = states[to];
      let changed = true;
      // The last one to get it may keep it.
      if (known == null)
        states[to] = edge === end - 1 ? this.#instructions.registers : this.#instructions.registers.slice();
      else changed = this.#instructions.merge(known);
      if (!changed || front === null || to - front.first >= front.dirty.length) continue;
      if (front.dirty[to - front.first] === 0) {
        front.dirty[to - front.first] = 1;
        front.left++;
      }
    }
  }

  #runBlock(blocks: Blocks, block: number): void {
    for (let at = blocks.first[block]!; at < blocks.first[block + 1]!; at++) this.#instructions.step(at);
  }
}
