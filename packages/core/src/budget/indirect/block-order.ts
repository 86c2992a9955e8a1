/**
 * The order in which blocks are followed: each behind all that lead to it, but for loops, the blocks of which stand together.
 * Loops are the strongly connected components of the blocks' graph (Tarjan, "Depth-first search and linear graph algorithms",
 * SIAM Journal on Computing 1, 1972). Not all that jumps back is one: code that seldom runs stands behind a function, and jumps
 * back into it.
 */
import type { FoundBlocks } from "./blocks.ts";

/** The blocks of a function, numbered in this order. */
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

/** Orders the blocks of one function after the other, in the same columns. */
export class BlockOrder implements OrderedBlocks {
  count = 0;
  entry = 0;
  first = new Int32Array(0);
  end = new Int32Array(0);
  edgeStart = new Int32Array(0);
  edges = new Int32Array(0);
  loopEnd = new Int32Array(0);
  /** By the number that a block was found with: when the search met it (-1: not yet), and the earliest that it leads back to. */
  #met = new Int32Array(0);
  #earliest = new Int32Array(0);
  /** The edge that the search takes next from there, and the component (-1: not known yet). */
  #next = new Int32Array(0);
  #component = new Int32Array(0);
  /** The way from the root to where the search is, and what it met that has no component yet. */
  #way = new Int32Array(0);
  #open = new Int32Array(0);
  /** Blocks as the search was done with them. */
  #done = new Int32Array(0);
  #doneCount = 0;
  /** Of each component: its blocks, then the number of the next one of them. */
  #place = new Int32Array(0);
  #components = 0;
  /** Numbers in the order, by those that the blocks were found with. */
  #numbers = new Int32Array(0);

  #reserve(blocks: number, edges: number): void {
    if (edges > this.edges.length) this.edges = new Int32Array(Math.max(2 * FIRST_CAPACITY, 2 * edges));
    if (blocks < this.first.length) return;
    const column = (): Int32Array<ArrayBuffer> => new Int32Array(Math.max(FIRST_CAPACITY, 2 * blocks));
    this.first = column();
    this.end = column();
    this.edgeStart = column();
    this.loopEnd = column();
    this.#met = column();
    this.#earliest = column();
    this.#next = column();
    this.#component = column();
    this.#way = column();
    this.#open = column();
    this.#done = column();
    this.#place = column();
    this.#numbers = column();
  }

  /** @returns itself, until it is asked for the next function's */
  order(found: FoundBlocks): OrderedBlocks {
    const { count } = found;
    this.#reserve(count, found.edgeStart[count]!);
    this.count = count;
    this.#met.fill(-1, 0, count);
    this.#component.fill(-1, 0, count);
    this.#doneCount = 0;
    this.#components = 0;
    // What nothing known leads to is a root of its own.
    for (let root = 0, met = 0; root < count; root++) if (this.#met[root] === -1) met = this.#search(found, root, met);
    this.#number(found);
    return this;
  }

  /**
   * Goes as deep as it can from a root, and finds the components: each after all that it leads to.
   * @param met blocks that were met before
   * @returns blocks that have been met
   */
  #search({ edgeStart, edges }: FoundBlocks, root: number, met: number): number {
    const [times, earliest, next, component] = [this.#met, this.#earliest, this.#next, this.#component];
    const [way, open] = [this.#way, this.#open];
    let time = met;
    let opened = 0;
    let depth = 0;
    const meet = (block: number): void => {
      times[block] = time;
      earliest[block] = time++;
      // From the last edge to the first, so that the block behind stands next in the order.
      next[block] = edgeStart[block + 1]!;
      way[depth++] = block;
      open[opened++] = block;
    };
    meet(root);
    while (depth > 0) {
      const block = way[depth - 1]!;
      if (next[block]! > edgeStart[block]!) {
        next[block]!--;
        const to = edges[next[block]!]!;
        if (times[to] === -1) meet(to);
        else if (component[to] === -1) earliest[block] = Math.min(earliest[block]!, times[to]!);
        continue;
      }
      depth--;
      this.#done[this.#doneCount++] = block;
      if (earliest[block] === times[block]) {
        const before = opened;
        do component[open[--opened]!] = this.#components;
        while (open[opened] !== block);
        this.#place[this.#components++] = before - opened;
      }
      if (depth > 0) earliest[way[depth - 1]!] = Math.min(earliest[way[depth - 1]!]!, earliest[block]!);
    }
    return time;
  }

  /** Components in the reverse of the order in which they were found; within each, blocks in the reverse of that in which they were done. */
  #number(found: FoundBlocks): void {
    const { count, first, end, edgeStart, edges, loopEnd } = this;
    const [place, done, numbers] = [this.#place, this.#done, this.#numbers];
    loopEnd.fill(-1, 0, count);
    for (let component = this.#components - 1, number = 0; component >= 0; component--) {
      const size = place[component]!;
      if (size > 1) loopEnd[number] = number + size - 1;
      place[component] = number;
      number += size;
    }
    for (let at = count - 1; at >= 0; at--) {
      const block = done[at]!;
      numbers[block] = place[this.#component[block]!]!++;
      done[at] = -1;
    }
    for (let block = 0; block < count; block++) {
      const number = numbers[block]!;
      first[number] = found.first[block]!;
      end[number] = found.first[block + 1]!;
      done[number] = block;
    }
    let used = 0;
    for (let number = 0, last = -1; number < count; number++) {
      const block = done[number]!;
      last = Math.max(last, loopEnd[number]!);
      edgeStart[number] = used;
      for (let edge = found.edgeStart[block]!; edge < found.edgeStart[block + 1]!; edge++) {
        const to = numbers[found.edges[edge]!]!;
        if (to === number && number > last) loopEnd[number] = number;
        edges[used++] = to;
      }
    }
    edgeStart[count] = used;
    this.entry = numbers[0]!;
  }
}
