/**
 * Headers of the kdump-compressed format, 64-bit little-endian layout.
 * Source: makedumpfile `diskdump_mod.h` and `IMPLEMENTATION`; the same structs with explicit padding in libkdumpfile
 * `src/kdumpfile/diskdump.c`.
 */

import type { ByteSource } from "../../bytes/byte-source.ts";
import { asciiField, readExactly, u64, viewOf } from "../../bytes/read.ts";
import { SpillwayError } from "../../errors.ts";
import { PAGE_SIZE } from "../physical-memory.ts";

export const KDUMP_SIGNATURE = "KDUMP   ";
/** `status`: the writer ran out of space; a page descriptor of all zeros then means a lost page. */
export const STATUS_INCOMPLETE = 0x8;
/** `status`: unused parts of the memory map were left out (makedumpfile 1.6.0). */
export const STATUS_EXCLUDED_VMEMMAP = 0x10;

/**
 * Offsets in `struct disk_dump_header`. After `utsname` (390 bytes from 12) the 64-bit layout has 6 bytes of padding and a
 * 16-byte timeval, the 32-bit one 2 bytes and an 8-byte timeval.
 */
const UTSNAME = 12;
const UTSNAME_FIELD = 65;
const LAYOUT_64 = { timestamp: 408, status: 424 };
const LAYOUT_32 = { timestamp: 404, status: 412 };
/** 256 TiB, twice the largest machine there is; more is damage, and would make us search gigabytes of bitmap. */
const MAX_PFN = 2 ** 36;
const HEADER_SIZE = 464;
const SUB_HEADER_SIZE = 104;

export interface KdumpHeader {
  readonly version: number;
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly kernelVersion: string;
  readonly machine: string;
  readonly domainname: string;
  /** Seconds since 1970, 0 where unknown. */
  readonly timestamp: number;
  readonly status: number;
  /** One more than the highest page frame number. */
  readonly maxPfn: number;
  readonly cpus: number;
  /** Signed, in bytes: what virtual addresses of kernel text are shifted by; 0 in most dumps. */
  readonly physBase: bigint;
  readonly dumpLevel: number | null;
  /** Page frames `[startPfn, endPfn)` that this file of a split set holds; null for a file that stands alone. */
  readonly split: { readonly startPfn: number; readonly endPfn: number } | null;
  readonly vmcoreinfo: FileRange | null;
  readonly notes: FileRange | null;
  readonly eraseinfo: FileRange | null;
  /** File offset of the first bitmap (which frames are RAM), or null where the writer left it out. */
  readonly ramBitmapOffset: number | null;
  /** File offset of the second bitmap (which frames are dumped). */
  readonly dumpedBitmapOffset: number;
  /** Length of each bitmap in bytes. */
  readonly bitmapLength: number;
  /** File offset of the first page descriptor. */
  readonly descriptorOffset: number;
}

export interface FileRange {
  readonly offset: number;
  readonly size: number;
}

/**
 * Reads header and sub-header. The caller has checked the signature.
 *
 * @throws SpillwayError `SPW_IMAGE_TRUNCATED`, `SPW_IMAGE_CORRUPT`, `SPW_IMAGE_WRONG_ARCH`, `SPW_IMAGE_UNSUPPORTED`
 */
export function readKdumpHeader(source: ByteSource): KdumpHeader {
  const bytes = readExactly(source, 0, HEADER_SIZE);
  if (bytes === null) throw truncated(source, HEADER_SIZE);
  const view = viewOf(bytes);
  const version = view.getInt32(8, true);
  const field = (index: number) => asciiField(bytes, UTSNAME + index * UTSNAME_FIELD, UTSNAME_FIELD);
  const machine = field(4);
  refuseOtherArchitecture(source, view, machine);

  const at = LAYOUT_64.status;
  const blockSize = view.getInt32(at + 4, true);
  const subHeaderBlocks = view.getInt32(at + 8, true);
  const bitmapBlocks = view.getUint32(at + 12, true);
  if (version < 0 || version > 64) throw corrupt(source, `header version ${version}`, 8);
  if (subHeaderBlocks < 1 || subHeaderBlocks > 1 << 20) {
    throw corrupt(source, `a sub-header of ${subHeaderBlocks} blocks`, at + 8);
  }

  const sub = readExactly(source, blockSize, SUB_HEADER_SIZE);
  if (sub === null) throw truncated(source, blockSize + SUB_HEADER_SIZE);
  const subView = viewOf(sub);
  const wide = version >= 6;
  const maxPfn = wide ? u64(subView, 96) : view.getUint32(at + 16, true);
  const isSplit = version >= 2 && subView.getInt32(12, true) !== 0;
  const range = (since: number, offset: number): FileRange | null => {
    const found = { offset: u64(subView, offset), size: u64(subView, offset + 8) };
    return version >= since && found.offset !== 0 && found.size !== 0 ? found : null;
  };

  const bitmapOffset = (1 + subHeaderBlocks) * blockSize;
  const bitmapBytes = bitmapBlocks * blockSize;
  // Two bitmaps of equal size where they cover the memory, else one: netdump-style dumps leave the first one out.
  const half = Math.floor(bitmapBlocks / 2) * blockSize;
  const both = maxPfn <= half * 8;
  const bitmapLength = both ? half : bitmapBytes;
  if (maxPfn > bitmapLength * 8 || maxPfn > MAX_PFN) {
    throw corrupt(source, `bitmaps of ${bitmapBytes} bytes for ${maxPfn} page frames`, at + 12);
  }
  const descriptorOffset = bitmapOffset + bitmapBytes;
  // A part of a split set that holds no page ends exactly there.
  if (descriptorOffset > source.size) throw truncated(source, descriptorOffset);

  return {
    version,
    sysname: field(0),
    nodename: field(1),
    release: field(2),
    kernelVersion: field(3),
    machine,
    domainname: field(5),
    timestamp: plausibleSeconds(u64(view, LAYOUT_64.timestamp)),
    status: view.getUint32(at, true),
    maxPfn,
    cpus: view.getInt32(at + 36, true),
    physBase: version >= 0 ? subView.getBigInt64(0, true) : 0n,
    dumpLevel: version >= 1 ? subView.getInt32(8, true) : null,
    split: isSplit ? { startPfn: u64(subView, wide ? 80 : 16), endPfn: u64(subView, wide ? 88 : 24) } : null,
    vmcoreinfo: range(3, 32),
    notes: range(4, 48),
    eraseinfo: range(5, 64),
    ramBitmapOffset: both ? bitmapOffset : null,
    dumpedBitmapOffset: both ? bitmapOffset + bitmapLength : bitmapOffset,
    bitmapLength,
    descriptorOffset,
  };
}

/** The header's block size tells both word size and byte order: only the right reading gives a power of two in range. */
function refuseOtherArchitecture(source: ByteSource, view: DataView, machine: string): void {
  const here = view.getInt32(LAYOUT_64.status + 4, true);
  const fits = (size: number) => size >= 4096 && size <= 65536 && (size & (size - 1)) === 0;
  if (machine !== "" && machine !== "x86_64" && fits32or64(view, fits)) {
    throw wrongArchitecture(source, machine);
  }
  if (fits(here)) {
    if (here === PAGE_SIZE) return;
    throw new SpillwayError(
      "SPW_IMAGE_UNSUPPORTED",
      `${source.name}: pages of ${here} bytes; x86_64 has ${PAGE_SIZE}, so this dump is of another architecture`,
      { facts: { offset: LAYOUT_64.status + 4, blockSize: here } },
    );
  }
  if (fits(view.getInt32(LAYOUT_32.status + 4, true))) throw wrongArchitecture(source, "a 32-bit kernel");
  if (fits(view.getInt32(LAYOUT_64.status + 4, false)) || fits(view.getInt32(LAYOUT_32.status + 4, false))) {
    throw wrongArchitecture(source, "a big-endian machine");
  }
  throw corrupt(source, `a block size of ${here}`, LAYOUT_64.status + 4);
}

function fits32or64(view: DataView, fits: (size: number) => boolean): boolean {
  return [LAYOUT_64, LAYOUT_32].some((layout) =>
    [true, false].some((little) => fits(view.getInt32(layout.status + 4, little))),
  );
}

function plausibleSeconds(seconds: number): number {
  return seconds < 2 ** 40 ? seconds : 0;
}

function wrongArchitecture(source: ByteSource, machine: string): SpillwayError {
  return new SpillwayError(
    "SPW_IMAGE_WRONG_ARCH",
    `${source.name}: a dump of ${machine}; only x86_64 can be read so far`,
    { facts: { machine } },
  );
}

function truncated(source: ByteSource, needed: number): SpillwayError {
  return new SpillwayError(
    "SPW_IMAGE_TRUNCATED",
    `${source.name}: the file ends at byte ${source.size}, inside its headers and bitmaps (they reach byte ${needed})`,
    { facts: { size: source.size, needed }, hint: "The copy of the dump was cut short; copy it again." },
  );
}

function corrupt(source: ByteSource, what: string, offset: number): SpillwayError {
  return new SpillwayError("SPW_IMAGE_CORRUPT", `${source.name}: the kdump header is damaged: it claims ${what}`, {
    facts: { offset },
  });
}
