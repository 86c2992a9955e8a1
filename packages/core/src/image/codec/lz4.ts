/**
 * The legacy frame of LZ4, which `lz4 -l` writes and in which a kernel can be packed: a magic number, then blocks, each with
 * its packed length before it and unpacking to 8 MiB (the last to less). Written from the descriptions in the LZ4 project's
 * doc/lz4_Frame_format.md ("Legacy frame") and doc/lz4_Block_format.md; maintained libraries read the newer frame only.
 */

export const LZ4_LEGACY_MAGIC = 0x184c2102;
/** Of a block, unpacked. */
const BLOCK = 8 << 20;
const SHORTEST_MATCH = 4;

/**
 * Unpacks a file of legacy frames.
 * @param most bytes that the content may have
 * @param room gives the memory for them
 * @throws Error where the input is damaged or holds more
 */
export function unpackLz4(
  input: Uint8Array,
  most: number,
  room: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  // No byte of input makes more than 255 of output.
  const out = room(Math.min(most, input.length * 255));
  let end = 0;
  for (let at = 0; at + 4 <= input.length; ) {
    const size = view.getUint32(at, true);
    at += 4;
    // A frame may follow the one before, with nothing between them.
    if (size === LZ4_LEGACY_MAGIC) continue;
    if (at === 4) throw new Error("not an LZ4 legacy frame");
    if (size === 0 || size > input.length - at) throw new Error("lz4 block runs over the end");
    end += unpackBlock(input.subarray(at, at + size), out.subarray(end, end + BLOCK));
    at += size;
  }
  return out.subarray(0, end);
}

/** One block: sequences of literals and a match; the last has literals only. Returns how many bytes it puts out. */
function unpackBlock(input: Uint8Array, out: Uint8Array): number {
  let ip = 0;
  let op = 0;
  while (ip < input.length) {
    const token = input[ip++] as number;
    // A length of 15 goes on in bytes, of which the last is not 255.
    let literals = token >>> 4;
    for (let byte = literals === 15 ? 255 : 0; byte === 255; literals += byte) {
      if (ip >= input.length) throw new Error("lz4 length runs over the end");
      byte = input[ip++] as number;
    }
    if (literals > input.length - ip || literals > out.length - op) throw new Error("lz4 literals run over the end");
    if (literals < 32) for (let i = 0; i < literals; i++) out[op + i] = input[ip + i] as number;
    else out.set(input.subarray(ip, ip + literals), op);
    ip += literals;
    op += literals;
    if (ip >= input.length) break;
    const distance = (input[ip] as number) | ((input[ip + 1] ?? 0) << 8);
    ip += 2;
    let length = token & 15;
    for (let byte = length === 15 ? 255 : 0; byte === 255; length += byte) {
      if (ip >= input.length) throw new Error("lz4 length runs over the end");
      byte = input[ip++] as number;
    }
    length += SHORTEST_MATCH;
    if (distance === 0 || distance > op || length > out.length - op) throw new Error("lz4 match leads outside");
    // A match may reach into what it is about to write.
    if (distance >= length && length >= 32) out.copyWithin(op, op - distance, op - distance + length);
    else for (let i = 0; i < length; i++) out[op + i] = out[op + i - distance] as number;
    op += length;
  }
  return op;
}
