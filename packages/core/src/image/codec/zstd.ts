import { decompress } from "fzstd";
import { u64, viewOf } from "../../bytes/read.ts";
import type { PageCodec } from "./page-codec.ts";

/** zstd frames (RFC 8878), through fzstd. */
export const zstdCodec: PageCodec = {
  name: "zstd",
  decompress(input, outLength) {
    checkFrame(input, outLength);
    const out = decompress(input, new Uint8Array(outLength));
    if (out.length !== outLength) throw new Error(`zstd page holds ${out.length} bytes`);
    return out;
  },
};

const MAGIC = 0xfd2fb528;
const BLOCK_RAW = 0;
const BLOCK_RLE = 1;
const BLOCK_COMPRESSED = 2;
/** A compressor makes one block of a page, and one of each 128 KiB of a section of debug information. */
const MAX_BLOCKS = 8;
const BLOCK = 65536;

/**
 * Reads headers only. fzstd believes what they claim: it would allocate any window, and go through up to 98,000 sequences
 * a block, each of up to 128 KiB. A page is small, so what it may claim is too.
 */
function checkFrame(input: Uint8Array, outLength: number): void {
  const view = viewOf(input);
  if (input.length < 9 || view.getUint32(0, true) !== MAGIC) throw new Error("not a zstd frame");
  const descriptor = input[4]!;
  if (descriptor & 0x08 || descriptor & 0x03) throw new Error("zstd frame needs a dictionary or a newer reader");
  const singleSegment = (descriptor & 0x20) !== 0;
  const checksum = (descriptor & 0x04) !== 0 ? 4 : 0;
  const sizeCode = descriptor >>> 6;
  const sizeBytes = sizeCode === 0 ? (singleSegment ? 1 : 0) : 1 << sizeCode;
  let at = singleSegment ? 5 : 6;
  if (at + sizeBytes + 3 > input.length) throw new Error("zstd frame is cut short");
  if (sizeBytes > 0) {
    const declared =
      sizeBytes === 1
        ? input[at]!
        : sizeBytes === 2
          ? view.getUint16(at, true) + 256
          : sizeBytes === 4
            ? view.getUint32(at, true)
            : u64(view, at);
    if (declared !== outLength) throw new Error(`zstd page declares ${declared} bytes`);
  }
  at += sizeBytes;

  let plain = 0;
  const most = MAX_BLOCKS + Math.ceil(outLength / BLOCK);
  for (let block = 0; ; block++) {
    if (block === most || at + 3 > input.length) throw new Error("zstd blocks run over the end");
    const header = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16);
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    at += 3;
    if (type === BLOCK_RAW || type === BLOCK_RLE) plain += size;
    else if (type === BLOCK_COMPRESSED) plain += checkCompressedBlock(input, at, size, outLength);
    else throw new Error("zstd block of the reserved type");
    at += type === BLOCK_RLE ? 1 : size;
    if (plain > outLength || at > input.length) throw new Error("zstd blocks run over the end");
    if (header & 1) break;
  }
  if (at + checksum !== input.length) throw new Error("zstd frame is followed by something else");
}

/** Checks what a block's headers claim; returns its number of literal bytes, all of which it puts out. */
function checkCompressedBlock(input: Uint8Array, start: number, size: number, outLength: number): number {
  const end = start + size;
  if (end > input.length || size < 2) throw new Error("zstd block is cut short");
  const byte = (i: number) => input[start + i] ?? 0;
  const type = byte(0) & 3;
  const format = (byte(0) >>> 2) & 3;
  let literals: number;
  let section: number;
  if (type < 2) {
    const headerBytes = format === 1 ? 2 : format === 3 ? 3 : 1;
    literals =
      headerBytes === 1
        ? byte(0) >>> 3
        : headerBytes === 2
          ? (byte(0) >>> 4) | (byte(1) << 4)
          : (byte(0) >>> 4) | (byte(1) << 4) | (byte(2) << 12);
    section = headerBytes + (type === 0 ? literals : 1);
  } else {
    const headerBytes = format < 2 ? 3 : format + 2;
    const bits = format < 2 ? 10 : format === 2 ? 14 : 18;
    let value = 0;
    for (let i = 0; i < headerBytes; i++) value += byte(i) * 2 ** (8 * i);
    value = Math.floor(value / 16);
    literals = value % 2 ** bits;
    section = headerBytes + (Math.floor(value / 2 ** bits) % 2 ** bits);
  }
  if (literals > outLength || start + section >= end) throw new Error("zstd literals run over the end");
  const count = byte(section);
  const sequences =
    count < 128
      ? count
      : count < 255
        ? ((count - 128) << 8) + byte(section + 1)
        : byte(section + 1) + (byte(section + 2) << 8) + 0x7f00;
  // A match is at least three bytes long.
  if (sequences * 3 > outLength) throw new Error("zstd block has too many sequences for a page");
  return literals;
}
