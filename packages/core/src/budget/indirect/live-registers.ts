/**
 * What is read of registers from each block of a function on: nobody asks what a register holds that is written again before
 * it is read, so that states which come together need not agree on what is in it (Appel, "Modern Compiler Implementation",
 * chapter 10).
 */
import type { CodeColumns } from "../../code/code-columns.ts";
import type { OrderedBlocks } from "./block-columns.ts";
import { Effects } from "./effects.ts";
import type { FlowQuestions } from "./flow-questions.ts";

const FIRST_CAPACITY = 256;

/** Of one function after the other, in the same columns: registers as bits, by block. */
export class LiveRegisters {
  /** Those that are read, in the block or behind it, before they are written. */
  live = new Int32Array(0);
  /** As `Effects` has them. */
  reads = new Int32Array(0);
  writes = new Int32Array(0);
  tells = new Int32Array(0);
  readonly #effects = new Effects();

  find(code: CodeColumns, blocks: OrderedBlocks, questions: FlowQuestions): void {
    if (blocks.count > this.live.length) this.#reserve(Math.max(FIRST_CAPACITY, 2 * blocks.count));
    const { live, reads, writes, tells } = this;
    const effects = this.#effects;
    for (let block = 0; block < blocks.count; block++) {
      effects.find(code, blocks.first[block]!, blocks.end[block]!, questions);
      reads[block] = effects.reads;
      writes[block] = effects.writes;
      tells[block] = effects.tells;
      live[block] = effects.reads | effects.tells;
    }
    while (this.#goBack(blocks));
  }

  #reserve(capacity: number): void {
    this.live = new Int32Array(capacity);
    this.reads = new Int32Array(capacity);
    this.writes = new Int32Array(capacity);
    this.tells = new Int32Array(capacity);
  }

  /** What is live at each block is so at the end of those before it; true where one that was looked at before gets something. */
  #goBack({ count, edgeStart, edges }: OrderedBlocks): boolean {
    const { live, writes } = this;
    let again = false;
    for (let block = count - 1; block >= 0; block--) {
      let out = 0;
      for (let edge = edgeStart[block]!; edge < edgeStart[block + 1]!; edge++) out |= live[edges[edge]!]!;
      const found = live[block]! | (out & ~writes[block]!);
      if (found === live[block]) continue;
      live[block] = found;
      again = true;
    }
    return again;
  }
}
