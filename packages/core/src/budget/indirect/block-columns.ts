/** The blocks of a function, numbered in the order in which they are followed (see block-order.ts). */
export interface OrderedBlocks {
  readonly count: number;
  /** The one that the function begins with; those before it are entered in ways that are not known. */
  readonly entry: number;
  /** First instruction of each, and the one behind its last. */
  readonly first: Int32Array;
  readonly end: Int32Array;
  /** Where the edges of each begin in `edges`, which has the blocks that they lead to; one more than there are blocks. */
  readonly edgeStart: Int32Array;
  readonly edges: Int32Array;
  /** For the first block of a loop: its last one; -1 for all others. */
  readonly loopEnd: Int32Array;
}

const FIRST_CAPACITY = 256;

/** The same, to be filled with one function after the other. */
export class BlockColumns implements OrderedBlocks {
  count = 0;
  entry = 0;
  first = new Int32Array(0);
  end = new Int32Array(0);
  edgeStart = new Int32Array(0);
  edges = new Int32Array(0);
  loopEnd = new Int32Array(0);

  /** Makes the columns long enough; what was in them may be gone. */
  reserve(blocks: number, edges: number): void {
    if (edges > this.edges.length) this.edges = new Int32Array(Math.max(2 * FIRST_CAPACITY, 2 * edges));
    if (blocks < this.first.length) return;
    const capacity = Math.max(FIRST_CAPACITY, 2 * blocks);
    this.first = new Int32Array(capacity);
    this.end = new Int32Array(capacity);
    this.edgeStart = new Int32Array(capacity);
    this.loopEnd = new Int32Array(capacity);
  }
}
