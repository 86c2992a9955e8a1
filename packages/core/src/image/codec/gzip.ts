import { inflateSync } from "fflate";

/** Header flags of RFC 1952, section 2.3.1. */
const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;

/**
 * The content of a gzip file (RFC 1952), of at most `limit` bytes; null where it is none, is damaged, or holds more. What
 * follows the first member is left alone.
 */
export function gunzip(input: Uint8Array, limit: number): Uint8Array | null {
  const start = bodyOf(input);
  if (start === null || input.length < start + 8) return null;
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const length = view.getUint32(input.length - 4, true);
  if (length > limit) return null;
  try {
    // With a buffer given, fflate never grows it, so that a wrong length in the trailer costs no memory.
    const out = inflateSync(input.subarray(start, input.length - 8), { out: new Uint8Array(length) });
    return out.length === length && crc32(out) === view.getUint32(input.length - 8, true) ? out : null;
  } catch {
    return null;
  }
}

/** Offset of the deflate stream behind the header; null where this is no gzip header. */
function bodyOf(input: Uint8Array): number | null {
  if (input.length < 18 || input[0] !== 0x1f || input[1] !== 0x8b || input[2] !== 8) return null;
  const flags = input[3]!;
  let at = 10;
  if ((flags & FEXTRA) !== 0) at += 2 + input[at]! + input[at + 1]! * 256;
  for (const flag of [FNAME, FCOMMENT]) {
    if ((flags & flag) === 0) continue;
    const end = input.indexOf(0, at);
    if (end < 0) return null;
    at = end + 1;
  }
  return (flags & FHCRC) === 0 ? at : at + 2;
}

/** CRC-32 of RFC 1952, section 8; half a byte at a time, since what is checked here is small. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    crc = (crc >>> 4) ^ NIBBLES[crc & 15]!;
    crc = (crc >>> 4) ^ NIBBLES[crc & 15]!;
  }
  return ~crc >>> 0;
}

const NIBBLES = Uint32Array.from({ length: 16 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 4; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ 0xedb88320;
  return value;
});
