import { lzoCodec } from "./lzo1x.ts";

/** First bytes of a file of lzop. */
export const LZOP_MAGIC = [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a];
/** Flags in the file's header: lzop's source, conf.h. */
const F_ADLER32_D = 0x1;
const F_ADLER32_C = 0x2;
const F_H_EXTRA_FIELD = 0x40;
const F_CRC32_D = 0x100;
const F_CRC32_C = 0x200;
const F_H_FILTER = 0x800;
/** lzop never makes a block larger. */
const LARGEST_BLOCK = 64 << 20;

/**
 * Unpacks a file of lzop, in which a kernel can be packed: a header, then blocks of LZO1X, each with both its lengths and
 * checksums before it (which are not checked: a kernel that came out wrong shows it). Big-endian. Format as the kernel's
 * own reader has it, lib/decompress_unlzo.c.
 * @param most bytes that the content may have
 * @throws Error where the input is damaged or holds more
 */
export function unpackLzop(input: Uint8Array, most: number): Uint8Array {
  if (!LZOP_MAGIC.every((byte, i) => input[i] === byte)) throw new Error("not a file of lzop");
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const version = view.getUint16(9, false);
  // Behind the magic: version, library version, [version needed, from 0x0940], method, [level, from 0x0940], flags.
  let at = 9 + 4 + (version >= 0x0940 ? 2 : 0) + 1 + (version >= 0x0940 ? 1 : 0);
  const flags = view.getUint32(at, false);
  at += 4 + ((flags & F_H_FILTER) !== 0 ? 4 : 0);
  // Mode, time of change (twice from 0x0940), name with its length, checksum.
  at += 4 + (version >= 0x0940 ? 8 : 4);
  at += 1 + view.getUint8(at) + 4;
  if ((flags & F_H_EXTRA_FIELD) !== 0) at += 4 + view.getUint32(at, false) + 4;
  const plainSums = ((flags & F_ADLER32_D) !== 0 ? 4 : 0) + ((flags & F_CRC32_D) !== 0 ? 4 : 0);
  const packedSums = ((flags & F_ADLER32_C) !== 0 ? 4 : 0) + ((flags & F_CRC32_C) !== 0 ? 4 : 0);

  const blocks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const plain = view.getUint32(at, false);
    if (plain === 0) break;
    const packed = view.getUint32(at + 4, false);
    if (plain > LARGEST_BLOCK || packed > plain || plain > most - total) throw new Error("lzop block is too large");
    at += 8 + plainSums + (packed < plain ? packedSums : 0);
    const content = input.subarray(at, at + packed);
    if (content.length < packed) throw new Error("lzop block runs over the end");
    // A block that would not get shorter is stored.
    blocks.push(packed === plain ? content : lzoCodec.decompress(content, plain));
    total += plain;
    at += packed;
  }
  const out = new Uint8Array(total);
  let end = 0;
  for (const block of blocks) {
    out.set(block, end);
    end += block.length;
  }
  return out;
}
