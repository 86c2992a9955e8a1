import type { ByteSource } from "../../bytes/byte-source.ts";

/** Bytes of bitmap behind one checkpoint: 32,768 page frames, 128 MiB of memory. */
const BLOCK_BYTES = 4096;
const BLOCK_BITS = BLOCK_BYTES * 8;
const CACHED_BLOCKS = 16;
const BLOCKS_PER_SCAN = 16;

/**
 * A bitmap of page frames in a file, read where it is asked for. `rank` counts the set bits below a frame, which is the
 * index of the frame's page descriptor: so no map of pages is needed. Counts are kept for each 4 KiB of bitmap and made
 * only up to the highest frame asked for; 128 GiB of memory cost 4 MiB of reading once and 8 KiB of counts.
 */
export class BitmapRank {
  /** Number of bits. */
  readonly length: number;
  readonly #source: ByteSource;
  readonly #offset: number;
  readonly #blocks = new Map<number, Int32Array>();
  #lastIndex = -1;
  #lastBlock: Int32Array = new Int32Array(0);
  /** `#counts[i]`: set bits before block i. Valid up to `#counted`. */
  #counts = new Float64Array(64);
  #counted = 0;

  /** @param offset file offset of the bitmap in bytes; @param length bits, which the caller has checked to lie in the file */
  constructor(source: ByteSource, offset: number, length: number) {
    this.#source = source;
    this.#offset = offset;
    this.length = length;
  }

  /** Whether bit `index` is set; false outside. */
  test(index: number): boolean {
    if (!(index >= 0) || index >= this.length) return false;
    const block = this.#block(Math.floor(index / BLOCK_BITS));
    const bit = index % BLOCK_BITS;
    return (block[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  /** Set bits below `index` (at most `length`). */
  rank(index: number): number {
    const blockIndex = Math.floor(index / BLOCK_BITS);
    if (blockIndex > this.#counted) this.#countUpTo(blockIndex);
    const bit = index % BLOCK_BITS;
    let count = this.#counts[blockIndex]!;
    if (bit === 0) return count;
    const block = this.#block(blockIndex);
    const word = bit >>> 5;
    for (let i = 0; i < word; i++) count += popcount(block[i]!);
    const rest = bit & 31;
    if (rest !== 0) count += popcount(block[word]! & ((1 << rest) - 1));
    return count;
  }

  /** The first index of at least `from` whose bit equals `value`, or `length`. */
  next(from: number, value: boolean): number {
    const skip = value ? 0 : -1;
    let index = Math.max(0, from);
    while (index < this.length) {
      const block = this.#block(Math.floor(index / BLOCK_BITS));
      let bit = index % BLOCK_BITS;
      while (bit < BLOCK_BITS) {
        const word = block[bit >>> 5]!;
        if ((bit & 31) === 0 && word === skip) {
          bit += 32;
          continue;
        }
        if (((word >>> (bit & 31)) & 1) === (value ? 1 : 0)) {
          return Math.min(this.length, index - (index % BLOCK_BITS) + bit);
        }
        bit++;
      }
      index = index - (index % BLOCK_BITS) + BLOCK_BITS;
    }
    return this.length;
  }

  #block(blockIndex: number): Int32Array {
    if (blockIndex === this.#lastIndex) return this.#lastBlock;
    let block = this.#blocks.get(blockIndex);
    if (block === undefined) {
      block = this.#readWords(blockIndex, 1);
      if (this.#blocks.size >= CACHED_BLOCKS) {
        for (const oldest of this.#blocks.keys()) {
          this.#blocks.delete(oldest);
          break;
        }
      }
      this.#blocks.set(blockIndex, block);
    }
    this.#lastIndex = blockIndex;
    this.#lastBlock = block;
    return block;
  }

  #countUpTo(blockIndex: number): void {
    if (blockIndex >= this.#counts.length) {
      const grown = new Float64Array(Math.max(blockIndex + 1, this.#counts.length * 2));
      grown.set(this.#counts);
      this.#counts = grown;
    }
    while (this.#counted < blockIndex) {
      const some = Math.min(BLOCKS_PER_SCAN, blockIndex - this.#counted);
      const words = this.#readWords(this.#counted, some);
      const wordsPerBlock = BLOCK_BYTES / 4;
      for (let b = 0; b < some; b++) {
        let count = 0;
        for (let i = b * wordsPerBlock, end = i + wordsPerBlock; i < end; i++) {
          const word = words[i]!;
          if (word === -1) count += 32;
          else if (word !== 0) count += popcount(word);
        }
        this.#counts[this.#counted + 1] = this.#counts[this.#counted]! + count;
        this.#counted++;
      }
    }
  }

  /** Whole blocks as words; what lies past the bitmap's end counts as clear. */
  #readWords(blockIndex: number, blocks: number): Int32Array {
    const start = blockIndex * BLOCK_BYTES;
    const wanted = Math.max(0, Math.min(blocks * BLOCK_BYTES, Math.ceil(this.length / 8) - start));
    const read = this.#source.read(this.#offset + start, wanted);
    const bytes = new Uint8Array(blocks * BLOCK_BYTES);
    bytes.set(read);
    const words = new Int32Array(bytes.buffer);
    if (!LITTLE_ENDIAN) for (let i = 0; i < words.length; i++) words[i] = swap(words[i]!);
    return words;
  }
}

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function swap(word: number): number {
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function popcount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  v = (v + (v >>> 4)) & 0x0f0f0f0f;
  return Math.imul(v, 0x01010101) >>> 24;
}
