/** One compression method for the pages of a dump. */
export interface PageCodec {
  readonly name: "zlib" | "lzo" | "snappy" | "zstd";
  /**
   * Decompresses one page into exactly `outLength` bytes, a fresh array. Input comes from a file that may be damaged or
   * hostile: no implementation allocates or loops by a length that the input claims.
   * @throws Error of any kind where the input is not such a page; the reader turns that into a lost page.
   */
  decompress(input: Uint8Array, outLength: number): Uint8Array;
}

/** The codecs by the flag that a page descriptor carries (makedumpfile `diskdump_mod.h`). */
export const PAGE_FLAG_ZLIB = 0x1;
export const PAGE_FLAG_LZO = 0x2;
export const PAGE_FLAG_SNAPPY = 0x4;
/** makedumpfile 1.7.0. */
export const PAGE_FLAG_ZSTD = 0x20;
