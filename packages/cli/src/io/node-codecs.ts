import { inflateSync, zstdDecompressSync } from "node:zlib";
import { type CodecTable, PAGE_FLAG_ZLIB, PAGE_FLAG_ZSTD, type PageCodec, portableCodecs } from "@spillway/core";

/** Node's own zlib and zstd, which take two thirds of the time of the portable codecs; the others stay as they are. */
export const nodeCodecs: CodecTable = new Map<number, PageCodec>([
  ...portableCodecs,
  [PAGE_FLAG_ZLIB, { name: "zlib", decompress: (input, outLength) => exactly(inflateSync, input, outLength) }],
  [PAGE_FLAG_ZSTD, { name: "zstd", decompress: (input, outLength) => exactly(zstdDecompressSync, input, outLength) }],
]);

type Decompress = (input: Uint8Array, options: { maxOutputLength: number; chunkSize: number }) => Uint8Array;

function exactly(decompress: Decompress, input: Uint8Array, outLength: number): Uint8Array {
  const out = decompress(input, { maxOutputLength: outLength, chunkSize: outLength });
  if (out.length !== outLength) throw new Error(`page holds ${out.length} bytes`);
  return out;
}
