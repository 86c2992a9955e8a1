/** Packed kernels and modules: what they are packed with, told by their first bytes, and how they are unpacked. */
import { decompress } from "fzstd";
import { gunzip } from "../image/codec/gzip.ts";
import { unpackLz4 } from "../image/codec/lz4.ts";
import { LZOP_MAGIC, unpackLzop } from "../image/codec/lzop.ts";

export const PACKINGS = ["gzip", "xz", "lzma", "zstd", "lz4", "lzo", "bzip2"] as const;
export type Packing = (typeof PACKINGS)[number];

/** Gives memory for so many bytes, all zero. */
export type Room = (bytes: number) => Uint8Array;

/**
 * Unpacks a whole file.
 * @param most bytes that the content may have: what holds more is refused, and no memory spent on it
 * @param room where the content is to lie, for unpackers that can choose; the others give what they have made themselves
 * @throws Error of any kind where the input is damaged or holds more; SpillwayError where a program is missing
 */
export type Unpacker = (packed: Uint8Array, most: number, room?: Room) => Uint8Array;
/** What a front end can unpack. */
export type Unpackers = Partial<Readonly<Record<Packing, Unpacker>>>;

/** First bytes by packing. LZMA has no magic number: its properties (lc=3 lp=0 pb=2) and a dictionary of a power of two. */
const MAGIC: readonly (readonly [Packing, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["lz4", [0x02, 0x21, 0x4c, 0x18]],
  ["lzo", LZOP_MAGIC],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["lzma", [0x5d, 0x00, 0x00]],
];

/** What bytes are packed with; null for what is not packed, or in a way that no kernel is. */
export function packingOf(bytes: Uint8Array, at = 0): Packing | null {
  for (const [packing, magic] of MAGIC) if (magic.every((byte, i) => bytes[at + i] === byte)) return packing;
  return null;
}

/** The largest window that `zstd -19` and `-22 --ultra` ask for is 128 MiB; the kernel's own reader allows no more. */
const LARGEST_WINDOW = 1 << 27;

/** Those that run everywhere, the browser included; a front end knows faster ones, and those that are missing here. */
export const portableUnpackers: Unpackers = {
  gzip: (packed, most) => {
    const content = gunzip(packed, most);
    if (content === null) throw new Error("gzip: damaged, or larger than it may be");
    return content;
  },
  zstd: (packed, most) => {
    if (packed.length < 6) throw new Error("zstd: cut short");
    // fzstd allocates the window that the frame claims.
    const singleSegment = ((packed[4] as number) & 0x20) !== 0;
    if (!singleSegment && 2 ** (10 + ((packed[5] as number) >>> 3)) > LARGEST_WINDOW) throw new Error("zstd: window");
    const content = decompress(packed, new Uint8Array(most));
    return content;
  },
  lz4: unpackLz4,
  lzo: unpackLzop,
};
