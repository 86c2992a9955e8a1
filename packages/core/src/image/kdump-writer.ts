/**
 * Writes a kdump-compressed file, version 6, that crash, drgn and makedumpfile read too.
 * Source of the layout: makedumpfile `IMPLEMENTATION` and `diskdump_mod.h`.
 */

import { zlibSync } from "fflate";
import { viewOf } from "../bytes/read.ts";
import { PAGE_FLAG_ZLIB } from "./codec/page-codec.ts";
import { parseNotes } from "./notes.ts";
import { PAGE_SIZE, type PfnRange, type PhysicalMemory } from "./physical-memory.ts";

/** Takes bytes for a file offset. Offsets come in no order; what is never written is zero (a hole). */
export type KdumpSink = (offset: number, bytes: Uint8Array) => void;

export interface KdumpContents {
  /**
   * `struct new_utsname` fields. The release is by default what VMCOREINFO says. What stays unknown is written as
   * "(unknown)", because libkdumpfile, and so drgn, believes the machine field only where release and version are filled.
   */
  readonly nodename?: string;
  readonly release?: string;
  readonly kernelVersion?: string;
  /** Seconds since 1970. */
  readonly timestamp?: number;
  /** makedumpfile's dump level to record; it tells readers what kinds of pages may be missing. */
  readonly dumpLevel?: number;
  /** One more than the highest page frame number. */
  readonly maxPfn: number;
  /** RAM, included or not: the first bitmap. */
  readonly ram: Iterable<PfnRange>;
  /** Page frames to include, in ascending order without overlap. Those that `memory` does not have are left out. */
  readonly pages: Iterable<PfnRange>;
  readonly memory: PhysicalMemory;
  /** VMCOREINFO text; taken from `notes` where that holds it. */
  readonly vmcoreinfo: Uint8Array | null;
  /** Raw ELF notes. */
  readonly notes: Uint8Array | null;
  /** Offset of the kernel's physical from its linked address; by default what VMCOREINFO says. */
  readonly physBase?: bigint;
  /** Compresses a page as a zlib stream; by default fflate's level 6. */
  readonly compress?: (page: Uint8Array) => Uint8Array;
}

const HEADER_SIZE = 464;
const SUB_HEADER_SIZE = 104;
const DESCRIPTOR_SIZE = 24;
const DESCRIPTORS_PER_WRITE = 1024;
const BITMAP_PIECE = 65536;

/** Writes the file through `sink`; returns its length in bytes and how many pages it holds. */
export function writeKdump(
  contents: KdumpContents,
  sink: KdumpSink,
): { readonly size: number; readonly pages: number } {
  const pages = [...contents.pages];
  const most = pages.reduce((sum, range) => sum + Math.max(0, range.endPfn - range.startPfn), 0);
  const notes = contents.notes ?? new Uint8Array(0);
  const parsed = parseNotes(notes);
  const loose = parsed.vmcoreinfoRange === null ? (contents.vmcoreinfo ?? new Uint8Array(0)) : new Uint8Array(0);

  const notesOffset = PAGE_SIZE + SUB_HEADER_SIZE;
  const looseOffset = notesOffset + notes.length;
  const subHeaderBlocks = Math.ceil((SUB_HEADER_SIZE + notes.length + loose.length) / PAGE_SIZE);
  const bitmapBlocks = Math.max(1, Math.ceil(contents.maxPfn / (PAGE_SIZE * 8)));
  const bitmapLength = bitmapBlocks * PAGE_SIZE;
  const ramBitmap = (1 + subHeaderBlocks) * PAGE_SIZE;
  const dumpedBitmap = ramBitmap + bitmapLength;
  const descriptorOffset = dumpedBitmap + bitmapLength;

  const text = parsed.vmcoreinfo ?? latin1(contents.vmcoreinfo ?? new Uint8Array(0));
  const vmcoreinfo =
    parsed.vmcoreinfoRange !== null
      ? { offset: notesOffset + parsed.vmcoreinfoRange.offset, size: parsed.vmcoreinfoRange.size }
      : { offset: loose.length > 0 ? looseOffset : 0, size: loose.length };
  sink(0, mainHeader(contents, text, subHeaderBlocks, bitmapBlocks * 2, Math.max(1, parsed.cpuNotes.length)));
  sink(PAGE_SIZE, subHeader(contents, text, notes.length > 0 ? notesOffset : 0, notes.length, vmcoreinfo));
  if (notes.length > 0) sink(notesOffset, notes);
  if (loose.length > 0) sink(looseOffset, loose);
  const ram = new BitmapPieces(ramBitmap, sink);
  for (const range of contents.ram) ram.add(range, contents.maxPfn);
  ram.finish();

  const body = new PageWriter(descriptorOffset, most, contents.compress ?? compressWithFflate, sink);
  const dumped = new BitmapPieces(dumpedBitmap, sink);
  for (const range of pages) {
    for (let pfn = range.startPfn; pfn < Math.min(range.endPfn, contents.maxPfn); pfn++) {
      const page = contents.memory.page(pfn);
      if (page === null) continue;
      body.add(page);
      dumped.add({ startPfn: pfn, endPfn: pfn + 1 }, contents.maxPfn);
    }
  }
  dumped.finish();
  const size = body.finish();
  // The bitmaps may end in zeros that were never written, and a file without pages ends in them.
  if (body.count === 0) sink(descriptorOffset - 1, new Uint8Array(1));
  return { size: Math.max(size, descriptorOffset), pages: body.count };
}

/** Ascending runs of the page frames in `pfns`. */
export function pfnRanges(pfns: Iterable<number>): PfnRange[] {
  const sorted = Float64Array.from(pfns).sort();
  const ranges: { startPfn: number; endPfn: number }[] = [];
  for (const pfn of sorted) {
    const last = ranges[ranges.length - 1];
    if (last !== undefined && pfn < last.endPfn) continue;
    if (last !== undefined && pfn === last.endPfn) last.endPfn++;
    else ranges.push({ startPfn: pfn, endPfn: pfn + 1 });
  }
  return ranges;
}

function compressWithFflate(page: Uint8Array): Uint8Array {
  return zlibSync(page, { level: 6 });
}

/** `struct disk_dump_header`, 64-bit layout. */
function mainHeader(
  contents: KdumpContents,
  vmcoreinfoText: string,
  subBlocks: number,
  bitmapBlocks: number,
  cpus: number,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE);
  const view = viewOf(bytes);
  putText(bytes, 0, "KDUMP   ", 8);
  view.setInt32(8, 6, true);
  const told = /^OSRELEASE=(.+)$/m.exec(vmcoreinfoText)?.[1];
  const release = contents.release || told || "(unknown)";
  const names = ["Linux", contents.nodename ?? "", release, contents.kernelVersion || "(unknown)", "x86_64"];
  names.forEach((name, i) => {
    putText(bytes, 12 + i * 65, name, 64);
  });
  view.setBigInt64(408, BigInt(Math.trunc(contents.timestamp ?? 0)), true);
  view.setUint32(424, PAGE_FLAG_ZLIB, true);
  view.setInt32(428, PAGE_SIZE, true);
  view.setInt32(432, subBlocks, true);
  view.setUint32(436, bitmapBlocks, true);
  view.setUint32(440, Math.min(contents.maxPfn, 0xffff_ffff), true);
  view.setInt32(460, cpus, true);
  return bytes;
}

/** `struct kdump_sub_header`, version 6. */
function subHeader(
  contents: KdumpContents,
  vmcoreinfoText: string,
  notesOffset: number,
  notesSize: number,
  vmcoreinfo: { readonly offset: number; readonly size: number },
): Uint8Array {
  const bytes = new Uint8Array(SUB_HEADER_SIZE);
  const view = viewOf(bytes);
  const told = /^NUMBER\(phys_base\)=(-?\d+)$/m.exec(vmcoreinfoText);
  view.setBigInt64(0, contents.physBase ?? BigInt(told?.[1] ?? 0), true);
  view.setInt32(8, contents.dumpLevel ?? 0, true);
  const fields = [vmcoreinfo.offset, vmcoreinfo.size, notesOffset, notesSize];
  fields.forEach((field, i) => {
    view.setBigUint64(32 + i * 8, BigInt(field), true);
  });
  view.setBigUint64(96, BigInt(contents.maxPfn), true);
  return bytes;
}

/** A bitmap written piece by piece from ascending ranges; pieces without a bit are never written. */
class BitmapPieces {
  readonly #offset: number;
  readonly #sink: KdumpSink;
  #piece: Uint8Array = new Uint8Array(BITMAP_PIECE);
  #index = 0;
  #used = 0;

  constructor(offset: number, sink: KdumpSink) {
    this.#offset = offset;
    this.#sink = sink;
  }

  add(range: PfnRange, maxPfn: number): void {
    for (let pfn = range.startPfn; pfn < Math.min(range.endPfn, maxPfn); pfn++) {
      const at = Math.floor(pfn / 8);
      const index = Math.floor(at / BITMAP_PIECE);
      if (index !== this.#index) {
        this.#flush();
        this.#index = index;
      }
      const within = at % BITMAP_PIECE;
      this.#piece[within] = this.#piece[within]! | (1 << (pfn % 8));
      this.#used = Math.max(this.#used, within + 1);
    }
  }

  finish(): void {
    this.#flush();
  }

  #flush(): void {
    if (this.#used > 0) this.#sink(this.#offset + this.#index * BITMAP_PIECE, this.#piece.subarray(0, this.#used));
    this.#piece = new Uint8Array(BITMAP_PIECE);
    this.#used = 0;
  }
}

/** Descriptors and page data, both streamed; zero pages share one copy, as makedumpfile's do. */
class PageWriter {
  count = 0;
  readonly #compress: (page: Uint8Array) => Uint8Array;
  readonly #sink: KdumpSink;
  #descriptors = new DataView(new ArrayBuffer(DESCRIPTORS_PER_WRITE * DESCRIPTOR_SIZE));
  #pending = 0;
  #descriptorAt: number;
  #dataAt: number;
  #zero: { offset: number; size: number; flags: number } | null = null;

  constructor(descriptorOffset: number, most: number, compress: (page: Uint8Array) => Uint8Array, sink: KdumpSink) {
    this.#descriptorAt = descriptorOffset;
    this.#dataAt = descriptorOffset + most * DESCRIPTOR_SIZE;
    this.#compress = compress;
    this.#sink = sink;
  }

  add(page: Uint8Array): void {
    this.count++;
    const zero = page.every((byte) => byte === 0);
    if (zero && this.#zero !== null) {
      this.#describe(this.#zero.offset, this.#zero.size, this.#zero.flags);
      return;
    }
    const packed = this.#compress(page);
    const smaller = packed.length < PAGE_SIZE;
    const data = smaller ? packed : page;
    const flags = smaller ? PAGE_FLAG_ZLIB : 0;
    this.#sink(this.#dataAt, data);
    if (zero) this.#zero = { offset: this.#dataAt, size: data.length, flags };
    this.#describe(this.#dataAt, data.length, flags);
    this.#dataAt += data.length;
  }

  /** Returns one past the last byte written. */
  finish(): number {
    this.#flush();
    return this.#dataAt;
  }

  #describe(offset: number, size: number, flags: number): void {
    const at = this.#pending * DESCRIPTOR_SIZE;
    this.#descriptors.setBigUint64(at, BigInt(offset), true);
    this.#descriptors.setUint32(at + 8, size, true);
    this.#descriptors.setUint32(at + 12, flags, true);
    if (++this.#pending === DESCRIPTORS_PER_WRITE) this.#flush();
  }

  #flush(): void {
    if (this.#pending === 0) return;
    const length = this.#pending * DESCRIPTOR_SIZE;
    this.#sink(this.#descriptorAt, new Uint8Array(this.#descriptors.buffer, 0, length).slice());
    this.#descriptorAt += length;
    this.#pending = 0;
  }
}

function putText(bytes: Uint8Array, offset: number, text: string, length: number): void {
  for (let i = 0; i < Math.min(text.length, length); i++) bytes[offset + i] = text.charCodeAt(i) & 0xff;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
