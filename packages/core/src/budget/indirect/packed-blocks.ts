/** A function's blocks as words: for whoever finds them in one place and follows them in another. */
import type { BlockColumns, OrderedBlocks } from "./block-columns.ts";

/** Blocks, entry, edges. */
const HEADER_WORDS = 3;
/** First instruction, end, end of the loop, first edge. */
const ROW_WORDS = 4;

/** So many words are all that `packBlocks` writes. */
export function blockWords({ count, edgeStart }: OrderedBlocks): number {
  return HEADER_WORDS + count * ROW_WORDS + edgeStart[count]!;
}

/** Writes the blocks at word `at` and behind it; there must be room for `blockWords`. */
export function packBlocks(
  { count, entry, first, end, edgeStart, edges, loopEnd }: OrderedBlocks,
  words: Int32Array,
  at: number,
): void {
  const edgeCount = edgeStart[count]!;
  words[at] = count;
  words[at + 1] = entry;
  words[at + 2] = edgeCount;
  let to = at + HEADER_WORDS;
  for (let block = 0; block < count; block++, to += ROW_WORDS) {
    words[to] = first[block]!;
    words[to + 1] = end[block]!;
    words[to + 2] = loopEnd[block]!;
    words[to + 3] = edgeStart[block]!;
  }
  for (let edge = 0; edge < edgeCount; edge++) words[to++] = edges[edge]!;
}

/** Fills the columns with what `packBlocks` wrote there; what they held is gone. */
export function unpackBlocks(words: Int32Array, at: number, blocks: BlockColumns): void {
  const count = words[at]!;
  const edgeCount = words[at + 2]!;
  blocks.reserve(count, edgeCount);
  blocks.count = count;
  blocks.entry = words[at + 1]!;
  const { first, end, edgeStart, edges, loopEnd } = blocks;
  let from = at + HEADER_WORDS;
  for (let block = 0; block < count; block++, from += ROW_WORDS) {
    first[block] = words[from]!;
    end[block] = words[from + 1]!;
    loopEnd[block] = words[from + 2]!;
    edgeStart[block] = words[from + 3]!;
  }
  edgeStart[count] = edgeCount;
  for (let edge = 0; edge < edgeCount; edge++) edges[edge] = words[from++]!;
}
