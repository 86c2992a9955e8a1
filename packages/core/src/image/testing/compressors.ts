import { zlibSync } from "fflate";
import snappyjs from "snappyjs";
import { PAGE_FLAG_LZO, PAGE_FLAG_SNAPPY, PAGE_FLAG_ZLIB, PAGE_FLAG_ZSTD } from "../codec/page-codec.ts";
import type { PageCompressor } from "./make-kdump.ts";

export const zlibCompressor: PageCompressor = { flag: PAGE_FLAG_ZLIB, compress: (page) => zlibSync(page) };
export const snappyCompressor: PageCompressor = { flag: PAGE_FLAG_SNAPPY, compress: (page) => snappyjs.compress(page) };
export const lzoCompressor: PageCompressor = { flag: PAGE_FLAG_LZO, compress: compressLzo1x };
export const zstdCompressor: PageCompressor = { flag: PAGE_FLAG_ZSTD, compress: frameZstd };

/**
 * A simple LZO1X compressor: looks back by brute hash, and uses every form of match there is, so that tests meet them all.
 * Written from the kernel's `Documentation/staging/lzo.rst`.
 */
export function compressLzo1x(page: Uint8Array): Uint8Array {
  const out: number[] = [];
  const lastSeen = new Map<number, number>();
  let literalsFrom = 0;
  /** Where the last match's instruction keeps its two bits of literal count, or -1 at the start. */
  let stateAt = -1;

  const flushLiterals = (end: number): number => {
    const count = end - literalsFrom;
    const at = literalsFrom;
    literalsFrom = end;
    if (count === 0) return 0;
    if (stateAt >= 0 && count < 4) {
      out[stateAt] = out[stateAt]! | count;
    } else if (stateAt < 0 && count <= 238) {
      out.push(count + 17);
    } else if (count <= 18) {
      out.push(count - 3);
    } else {
      pushLong(out, 0, count - 18);
    }
    for (let i = at; i < end; i++) out.push(page[i]!);
    return stateAt < 0 || count >= 4 ? Math.min(count, 4) : count;
  };

  let at = 0;
  while (at < page.length) {
    const key = at + 2 < page.length ? page[at]! | (page[at + 1]! << 8) | (page[at + 2]! << 16) : -1;
    const from = key >= 0 ? lastSeen.get(key) : undefined;
    if (key >= 0) lastSeen.set(key, at);
    if (from === undefined || (at === 0 && stateAt < 0)) {
      at++;
      continue;
    }
    let length = 3;
    while (at + length < page.length && page[from + length] === page[at + length]) length++;
    const distance = at - from;
    // With fewer than four literals before the first match the first byte would be 18 to 20, which is their count alone.
    const state = flushLiterals(at);
    if (state === 4 && length === 3 && distance > 2048 && distance <= 3072) {
      const d = distance - 2049;
      out.push((d & 3) << 2, d >> 2);
      stateAt = out.length - 2;
    } else if (length <= 8 && distance <= 2048) {
      const d = distance - 1;
      const head = length <= 4 ? 0x40 | ((length - 3) << 5) : 0x80 | ((length - 5) << 5);
      out.push(head | ((d & 7) << 2), d >> 3);
      stateAt = out.length - 2;
    } else {
      if (length <= 33) out.push(0x20 | (length - 2));
      else pushLong(out, 0x20, length - 33);
      out.push(((distance - 1) << 2) & 0xff, (distance - 1) >> 6);
      stateAt = out.length - 2;
    }
    at += length;
    literalsFrom = at;
  }
  flushLiterals(page.length);
  out.push(0x11, 0, 0);
  return Uint8Array.from(out);
}

/** A length that does not fit its field: the field is 0, each zero byte adds 255, the last byte is 1 to 255. */
function pushLong(out: number[], instruction: number, rest: number): void {
  out.push(instruction);
  let left = rest;
  for (; left > 255; left -= 255) out.push(0);
  out.push(left);
}

/** A zstd frame of one block: repeated bytes as an RLE block, everything else stored. */
function frameZstd(page: Uint8Array): Uint8Array {
  const repeated = page.every((byte) => byte === page[0]);
  const body = repeated ? page.subarray(0, 1) : page;
  const out = new Uint8Array(10 + body.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, 0xfd2fb528, true);
  // Single segment, content size in two bytes, which count from 256.
  out[4] = 0x60;
  view.setUint16(5, page.length - 256, true);
  const header = 1 | ((repeated ? 1 : 0) << 1) | (page.length << 3);
  out.set([header & 0xff, (header >> 8) & 0xff, header >> 16], 7);
  out.set(body, 10);
  return out;
}
