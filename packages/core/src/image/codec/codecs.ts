import { PAGE_FLAG_LZO, PAGE_FLAG_SNAPPY, PAGE_FLAG_ZLIB, PAGE_FLAG_ZSTD, type PageCodec } from "./page-codec.ts";
import { zlibCodec } from "./zlib.ts";

/** Which codec each page flag asks for. */
export type CodecTable = ReadonlyMap<number, PageCodec>;

/** Codecs that run everywhere, the browser included. */
export const portableCodecs: CodecTable = new Map<number, PageCodec>([[PAGE_FLAG_ZLIB, zlibCodec]]);

/** Every bit that names a compression method. */
export const COMPRESSION_FLAGS = PAGE_FLAG_ZLIB | PAGE_FLAG_LZO | PAGE_FLAG_SNAPPY | PAGE_FLAG_ZSTD;
