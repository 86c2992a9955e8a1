import snappyjs from "snappyjs";
import type { PageCodec } from "./page-codec.ts";

/** Raw snappy blocks, through snappyjs. */
export const snappyCodec: PageCodec = {
  name: "snappy",
  decompress(input, outLength) {
    checkTags(input, outLength);
    return snappyjs.uncompress(input, outLength);
  },
};

/**
 * Walks the tags without copying. snappyjs reads a four-byte literal length as a signed number and so can walk backwards
 * for ever; it also writes past the declared length. Nothing malformed may reach it.
 * Source: snappy `format_description.txt`.
 */
function checkTags(input: Uint8Array, outLength: number): void {
  let declared = 0;
  let at = 0;
  let shift = 1;
  for (;;) {
    if (at >= input.length || at >= 5) throw new Error("snappy length is damaged");
    const byte = input[at++]!;
    declared += (byte & 0x7f) * shift;
    if (byte < 0x80) break;
    shift *= 128;
  }
  if (declared !== outLength) throw new Error(`snappy page declares ${declared} bytes`);

  let produced = 0;
  while (at < input.length) {
    const tag = input[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const bytes = length - 60;
        length = 1;
        for (let i = 0; i < bytes; i++) length += (input[at + i] ?? 0) * 2 ** (8 * i);
        at += bytes;
      }
      at += length;
      produced += length;
    } else {
      const bytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
      produced += kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
      at += bytes;
    }
    if (at > input.length || produced > outLength) throw new Error("snappy page runs over its end");
  }
  if (produced !== outLength) throw new Error(`snappy page holds ${produced} bytes`);
}
