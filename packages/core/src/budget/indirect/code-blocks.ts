import type { CodeColumns } from "../../code/code-columns.ts";
import type { OrderedBlocks } from "./block-columns.ts";
import { BlockOrder } from "./block-order.ts";
import { BlockFinder } from "./blocks.ts";
import type { JumpLabels } from "./jump-labels.ts";

/** Blocks of one function after the other, in the order in which they are followed. */
export class CodeBlocks {
  readonly #labels: JumpLabels;
  readonly #finder = new BlockFinder();
  readonly #order = new BlockOrder();

  /** @param labels jump labels: instructions that may jump although they do not */
  constructor(labels: JumpLabels) {
    this.#labels = labels;
  }

  /** The blocks of a function, until they are asked for of the next one. */
  of(code: CodeColumns): OrderedBlocks {
    return this.#order.order(this.#finder.find(code, this.#labels));
  }
}
