/** All that one thread can find out of a function's code for another one, as words in memory of both. */
import type { CodeColumns } from "../code/code-columns.ts";
import { packCode, packedWords, unpackCode } from "../code/packed-code.ts";
import type { BlockColumns, OrderedBlocks } from "./indirect/block-columns.ts";
import { blockWords, packBlocks, unpackBlocks } from "./indirect/packed-blocks.ts";

/** A function's code and the blocks that it consists of. */
export interface DecodedFunction {
  readonly code: CodeColumns;
  readonly blocks: OrderedBlocks;
}

/** What such a function is read back into, one after the other. */
export interface UnpackedFunction extends DecodedFunction {
  readonly blocks: BlockColumns;
}

/** So many words are all that `packFunction` writes. */
export function functionWords({ code, blocks }: DecodedFunction): number {
  return packedWords(code) + blockWords(blocks);
}

/** Writes a function at word `at` and behind it; there must be room for `functionWords`. */
export function packFunction({ code, blocks }: DecodedFunction, words: Int32Array, at: number): void {
  packCode(code, words, at);
  packBlocks(blocks, words, at + packedWords(code));
}

/** Reads what `packFunction` wrote there; what the function held is gone. */
export function unpackFunction(words: Int32Array, at: number, { code, blocks }: UnpackedFunction): void {
  unpackCode(words, at, code);
  unpackBlocks(words, at + packedWords(code), blocks);
}
