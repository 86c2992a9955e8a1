import { lzoCodec } from "./lzo1x.ts";
import { PAGE_FLAG_LZO, PAGE_FLAG_SNAPPY, PAGE_FLAG_ZLIB, PAGE_FLAG_ZSTD, type PageCodec } from "./page-codec.ts";
import { snappyCodec } from "./snappy.ts";
import { zlibCodec } from "./zlib.ts";
import { zstdCodec } from "./zstd.ts";

/** Which codec each page flag asks for. */
export type CodecTable = ReadonlyMap<number, PageCodec>;

/** Codecs that run everywhere, the browser included. */
export const portableCodecs: CodecTable = new Map<number, PageCodec>([
  [PAGE_FLAG_ZLIB, zlibCodec],
  [PAGE_FLAG_LZO, lzoCodec],
  [PAGE_FLAG_SNAPPY, snappyCodec],
  [PAGE_FLAG_ZSTD, zstdCodec],
]);

/** Every bit that names a compression method. */
export const COMPRESSION_FLAGS = PAGE_FLAG_ZLIB | PAGE_FLAG_LZO | PAGE_FLAG_SNAPPY | PAGE_FLAG_ZSTD;
