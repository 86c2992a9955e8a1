import type { PageCodec } from "./page-codec.ts";

/**
 * LZO1X streams, as makedumpfile and QEMU write them (`lzo1x_1_compress`). Written from the description of the stream in
 * the kernel's `Documentation/staging/lzo.rst`; no maintained library for browsers exists. Bitstream version 1 ("lzo-rle",
 * kernel only, for zram) is not read: no dump writer makes it.
 */
export const lzoCodec: PageCodec = {
  name: "lzo",
  decompress: decompressLzo1x,
};

/** A distance of exactly this in the long-distance form ends the stream. */
const END_DISTANCE = 16384;

function decompressLzo1x(input: Uint8Array, outLength: number): Uint8Array {
  const out = new Uint8Array(outLength);
  const inLength = input.length;
  let ip = 0;
  let op = 0;
  /** Literals that the last instruction copied: 0 to 3, or 4 for "a long run". It changes what 0..15 mean. */
  let state = 0;

  const literals = (count: number): void => {
    if (count > inLength - ip || count > outLength - op) throw new Error("lzo literals run over the end");
    for (let i = 0; i < count; i++) out[op + i] = input[ip + i]!;
    ip += count;
    op += count;
  };
  /** A length whose field was 0: each zero byte adds 255, the first other byte ends it. */
  const longLength = (base: number): number => {
    let length = base;
    while (ip < inLength && input[ip] === 0) {
      length += 255;
      ip++;
    }
    if (ip >= inLength) throw new Error("lzo input ends inside a length");
    return length + input[ip++]!;
  };

  if (inLength > 0 && input[0]! > 17) {
    const count = input[0]! - 17;
    ip = 1;
    literals(count);
    state = Math.min(count, 4);
  }

  while (ip < inLength) {
    const instruction = input[ip++]!;
    let length: number;
    let distance: number;
    if (instruction >= 64) {
      // 1LLDDDSS and 01LDDDSS: short matches within 2 KiB.
      if (ip >= inLength) throw new Error("lzo input ends inside a match");
      length = instruction >= 128 ? 5 + ((instruction >>> 5) & 3) : 3 + ((instruction >>> 5) & 1);
      distance = (input[ip++]! << 3) + ((instruction >>> 2) & 7) + 1;
      state = instruction & 3;
    } else if (instruction >= 16) {
      // 001LLLLL: within 16 KiB. 0001HLLL: 16 to 48 KiB away, or the end.
      const near = instruction >= 32;
      const mask = near ? 31 : 7;
      length = (instruction & mask) === 0 ? longLength(2 + mask) : 2 + (instruction & mask);
      if (ip + 2 > inLength) throw new Error("lzo input ends inside a match");
      const word = input[ip]! | (input[ip + 1]! << 8);
      ip += 2;
      state = word & 3;
      if (near) {
        distance = (word >>> 2) + 1;
      } else {
        distance = END_DISTANCE + ((instruction & 8) << 11) + (word >>> 2);
        if (distance === END_DISTANCE) {
          if (op !== outLength || ip !== inLength) throw new Error(`lzo stream ends after ${op} bytes`);
          return out;
        }
      }
    } else if (state === 0) {
      // 0000LLLL: a long run of literals, after which a match follows.
      literals(instruction === 0 ? longLength(15 + 3) : instruction + 3);
      state = 4;
      continue;
    } else {
      // 0000DDSS after literals: 2 bytes within 1 KiB; after a long run, 3 bytes 2 to 3 KiB away.
      if (ip >= inLength) throw new Error("lzo input ends inside a match");
      const high = input[ip++]! << 2;
      length = state === 4 ? 3 : 2;
      distance = high + (instruction >>> 2) + (state === 4 ? 2049 : 1);
      state = instruction & 3;
    }
    if (distance > op || length > outLength - op) throw new Error("lzo match reaches outside the page");
    // Byte by byte: a match may overlap what it writes.
    for (let from = op - distance, end = op + length; op < end; op++, from++) out[op] = out[from]!;
    if (state !== 0) literals(state);
  }
  throw new Error("lzo stream has no end");
}
