import { unzlibSync } from "fflate";
import type { PageCodec } from "./page-codec.ts";

/** zlib streams (RFC 1950), through fflate. */
export const zlibCodec: PageCodec = {
  name: "zlib",
  decompress(input, outLength) {
    // With a buffer given, fflate never grows it; what would go past its end is dropped, which the checksum then shows.
    const out = unzlibSync(input, { out: new Uint8Array(outLength) });
    if (out.length !== outLength) throw new Error(`zlib page holds ${out.length} bytes`);
    const end = input.length;
    const stored = ((input[end - 4]! << 24) | (input[end - 3]! << 16) | (input[end - 2]! << 8) | input[end - 1]!) >>> 0;
    // fflate leaves the checksum unread; it is what tells a flipped bit from a page.
    if (adler32(out) !== stored) throw new Error("zlib page fails its checksum");
    return out;
  },
};

/** Adler-32 (RFC 1950). Sums are reduced every 3,800 bytes: `b` then stays below 2^31. */
export function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let i = 0; i < bytes.length; ) {
    const end = Math.min(i + 3800, bytes.length);
    for (; i < end; i++) {
      a += bytes[i]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}
