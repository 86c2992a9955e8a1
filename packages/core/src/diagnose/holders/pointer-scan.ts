/** Finds words that point into a range: the one pass over much memory that a search makes. */
import type { AddressSpace } from "../../memory/address-space.ts";

const CHUNK = 1 << 20;
/** More pointers into a few hundred bytes of stack than this are no clue. */
export const MOST_FOUND = 512;

/**
 * Addresses of aligned 64-bit words in [start, start + size) whose value lies in [low, high). The range must not cross a
 * 4 GiB boundary (no stack does); memory that is not there holds no pointers.
 */
export function scanForPointers(
  memory: AddressSpace,
  start: bigint,
  size: number,
  low: bigint,
  high: bigint,
  found: bigint[],
): void {
  const wantedHigh = Number(low >> 32n);
  const first = Number(low & 0xffffffffn);
  const span = Number(high - low);
  for (let done = 0; done < size && found.length < MOST_FOUND; done += CHUNK) {
    const base = start + BigInt(done);
    const length = Math.min(CHUNK, size - done) & ~7;
    const bytes = memory.scan?.(base, length) ?? memory.readSparse(base, length).bytes;
    const words = wordsOf(bytes);
    for (let index = 1; index < words.length; index += 2) {
      if (words[index] !== wantedHigh) continue;
      const distance = words[index - 1]! - first;
      if (distance >= 0 && distance < span) found.push(base + BigInt((index - 1) * 4));
    }
  }
}

/** x86_64 is little-endian, and so is every machine that has typed arrays worth using. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = (bytes.byteOffset & 3) === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
}
