/** Basic blocks of one function, in the order of their addresses. */
import { type CodeColumns, FLOW, mnemonicNumber } from "../../code/code-columns.ts";
import type { JumpLabels } from "./jump-labels.ts";

export interface FoundBlocks {
  readonly count: number;
  /** First instruction of each; one more than there are blocks. */
  readonly first: Int32Array;
  /** Where the edges of each begin in `edges`, which has the blocks that they lead to; one more than there are blocks. */
  readonly edgeStart: Int32Array;
  readonly edges: Int32Array;
}

/** A block goes on to the next one, and by a jump or a jump label to one more. */
const MOST_EDGES = 2;

const FIRST_CAPACITY = 1024;

/** Does an instruction begin a block? */
const LEADS = 1;
/** And does a jump lead to it? */
const TARGETED = 2;

/** Does control never go on to the next instruction? */
function ends(flow: number): boolean {
  return flow === FLOW.jump || flow === FLOW["indirect-jump"] || flow === FLOW.return || flow === FLOW.invalid;
}

/** Finds the blocks of one function after the other, in the same columns. */
export class BlockFinder implements FoundBlocks {
  count = 0;
  first = new Int32Array(0);
  edgeStart = new Int32Array(0);
  edges = new Int32Array(0);
  /** Of each instruction: whether it leads a block, the block that it is in, and where its jump leads (-1: outside). */
  #leads = new Uint8Array(0);
  #blockOf = new Int32Array(0);
  #targets = new Int32Array(0);
  /** What stands behind jumps and returns: INT3 against straight-line speculation (CONFIG_SLS), NOP for alignment. */
  readonly #int3 = mnemonicNumber("int3");
  readonly #nop = mnemonicNumber("nop");

  #reserve(instructions: number): void {
    if (instructions < this.#leads.length) return;
    const capacity = Math.max(FIRST_CAPACITY, 2 * instructions);
    this.first = new Int32Array(capacity);
    this.edgeStart = new Int32Array(capacity);
    this.edges = new Int32Array(capacity * MOST_EDGES);
    this.#leads = new Uint8Array(capacity);
    this.#blockOf = new Int32Array(capacity);
    this.#targets = new Int32Array(capacity);
  }

  /**
   * @param labels jump labels: instructions that may jump although they do not
   * @returns itself, until it is asked for the next function's
   */
  find(code: CodeColumns, labels: JumpLabels): FoundBlocks {
    this.#reserve(code.count);
    this.#findLeads(code, labels);
    const { first } = this;
    const [leads, blockOf] = [this.#leads, this.#blockOf];
    let count = 0;
    for (let at = 0; at < code.count; at++) {
      if (leads[at] !== 0) first[count++] = at;
      blockOf[at] = count - 1;
    }
    first[count] = code.count;
    this.count = count;
    this.#findEdges(code);
    return this;
  }

  #findLeads(code: CodeColumns, labels: JumpLabels): void {
    const { count, flow: flows } = code;
    const [leads, targets] = [this.#leads, this.#targets];
    leads.fill(0, 0, count + 1);
    targets.fill(-1, 0, count);
    leads[0] = LEADS;
    for (let at = 0; at < count; at++) {
      const flow = flows[at]!;
      if (flow === FLOW.jump || flow === FLOW.conditional) {
        leads[at + 1]! |= LEADS;
        this.#jump(at, code.indexAt(code.target[at]!));
      } else if (flow === FLOW["indirect-jump"] || flow === FLOW.return || !code.followed(at)) leads[at + 1]! |= LEADS;
      else if (flow === FLOW.next && code.mnemonic[at] === this.#nop && isPatched(code, at)) {
        const target = labels.get(code.address[at]!);
        if (target !== undefined) this.#jump(at, code.indexAt(target));
      }
    }
  }

  #jump(at: number, target: number): void {
    if (target < 0) return;
    this.#targets[at] = target;
    this.#leads[target] = LEADS | TARGETED;
    this.#leads[at + 1]! |= LEADS;
  }

  #findEdges(code: CodeColumns): void {
    const { count, first, edgeStart, edges } = this;
    let used = 0;
    for (let block = 0; block < count; block++) {
      edgeStart[block] = used;
      const last = first[block + 1]! - 1;
      if (!ends(code.flow[last]!) && code.followed(last) && !this.#isPadding(code, block)) {
        edges[used++] = this.#blockOf[last + 1]!;
      }
      const target = this.#targets[last]!;
      if (target >= 0) edges[used++] = this.#blockOf[target]!;
    }
    edgeStart[count] = used;
  }

  /** Code that nothing leads to is entered with whatever (by an exception table); it must not spill into what comes next. */
  #isPadding(code: CodeColumns, block: number): boolean {
    const start = this.first[block]!;
    if (start === 0 || (this.#leads[start]! & TARGETED) !== 0 || !ends(code.flow[start - 1]!)) return false;
    for (let at = start; at < this.first[block + 1]!; at++) {
      if (code.mnemonic[at] !== this.#int3 && code.mnemonic[at] !== this.#nop) return false;
    }
    return true;
  }
}

/** A jump label is a jump or a no-operation of as many bytes (2 where the target is near, 5 else). */
function isPatched(code: CodeColumns, at: number): boolean {
  const length = code.length[at];
  return length === 2 || length === 5;
}
