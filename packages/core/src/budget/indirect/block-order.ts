/**
 * The order in which blocks are followed: each behind all that lead to it, but for loops, the blocks of which stand together.
 * Loops are the strongly connected components of the blocks' graph (Tarjan, "Depth-first search and linear graph algorithms",
 * SIAM Journal on Computing 1, 1972). Not all that jumps back is one: code that seldom runs stands behind a function, and jumps
 * back into it.
 */
import { BlockColumns, type OrderedBlocks } from "./block-columns.ts";
import type { FoundBlocks } from "./blocks.ts";

const FIRST_CAPACITY = 256;

/** Orders the blocks of one function after the other, in the same columns. */
export class BlockOrder {
  readonly #blocks = new BlockColumns();
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

  #reserve(blocks: number): void {
    if (blocks < this.#met.length) return;
    const column = (): Int32Array<ArrayBuffer> => new Int32Array(Math.max(FIRST_CAPACITY, 2 * blocks));
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

  /** @returns the blocks in order, until it is asked for the next function's */
  order(found: FoundBlocks): OrderedBlocks {
    const { count } = found;
    this.#reserve(count);
    this.#met.fill(-1, 0, count);
    this.#component.fill(-1, 0, count);
    this.#doneCount = 0;
    this.#components = 0;
    // What nothing known leads to is a root of its own.
    for (let root = 0, met = 0; root < count; root++) if (this.#met[root] === -1) met = this.#search(found, root, met);
    this.#number(found);
    return this.#blocks;
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
    const { count } = found;
    const blocks = this.#blocks;
    blocks.reserve(count, found.edgeStart[count]!);
    const { first, end, edgeStart, edges, loopEnd } = blocks;
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
    }
    // The column is free now: blocks by their numbers in the order.
    const blockOf = done;
    for (let block = 0; block < count; block++) {
      const number = numbers[block]!;
      first[number] = found.first[block]!;
      end[number] = found.first[block + 1]!;
      blockOf[number] = block;
    }
    let used = 0;
    for (let number = 0, last = -1; number < count; number++) {
      const block = blockOf[number]!;
      last = Math.max(last, loopEnd[number]!);
      edgeStart[number] = used;
      for (let edge = found.edgeStart[block]!; edge < found.edgeStart[block + 1]!; edge++) {
        const to = numbers[found.edges[edge]!]!;
        if (to === number && number > last) loopEnd[number] = number;
        edges[used++] = to;
      }
    }
    edgeStart[count] = used;
    blocks.count = count;
    blocks.entry = numbers[0]!;
  }
}
