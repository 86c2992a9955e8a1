import { PAGE_SIZE } from "../physical-memory.ts";
import { concat, makeNote } from "./make-notes.ts";
import { ascii, type MemoryModel, runsOf } from "./memory-model.ts";

export interface ElfSegment {
  readonly physical: number;
  readonly bytes: Uint8Array;
  /** `p_memsz`, where it is larger than what is in the file. */
  readonly memorySize?: number;
  readonly virtual?: bigint;
}

export interface MakeElfOptions {
  readonly notes?: Uint8Array;
  /** Count the program headers in section header 0 instead, as files of 65,535 segments and more must. */
  readonly extendedCount?: boolean;
  /** QEMU 7.2 writes 8 into e_ehsize and puts the section headers first. */
  readonly likeQemu?: boolean;
  readonly type?: number;
  readonly machine?: number;
  readonly class?: number;
  readonly bigEndian?: boolean;
}

/** An ELF core of these segments. */
export function makeElf(segments: readonly ElfSegment[], options: MakeElfOptions = {}): Uint8Array {
  const notes = options.notes ?? new Uint8Array(0);
  const count = segments.length + 1;
  const sectionAt = 64;
  const tableAt = options.extendedCount || options.likeQemu ? 128 : 64;
  const notesAt = tableAt + count * 56;
  const head = new Uint8Array(notesAt);
  const view = new DataView(head.buffer);
  const little = !options.bigEndian;
  head.set([0x7f, 0x45, 0x4c, 0x46, options.class ?? 2, little ? 1 : 2, 1]);
  view.setUint16(16, options.type ?? 4, little);
  view.setUint16(18, options.machine ?? 62, little);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, BigInt(tableAt), true);
  view.setBigUint64(40, tableAt === 64 ? 0n : BigInt(sectionAt), true);
  view.setUint16(52, options.likeQemu ? 8 : 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, options.extendedCount ? 0xffff : count, true);
  view.setUint16(58, 64, true);
  if (options.extendedCount) view.setUint32(sectionAt + 44, count, true);

  const header = (i: number, fields: readonly [number, number, bigint, number, number, number]) => {
    const at = tableAt + i * 56;
    const [type, offset, virtual, physical, fileSize, memorySize] = fields;
    view.setUint32(at, type, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, virtual, true);
    view.setBigUint64(at + 24, BigInt(physical), true);
    view.setBigUint64(at + 32, BigInt(fileSize), true);
    view.setBigUint64(at + 40, BigInt(memorySize), true);
  };
  header(0, [4, notesAt, 0n, 0, notes.length, notes.length]);
  let at = notesAt + notes.length;
  segments.forEach((segment, i) => {
    const length = segment.bytes.length;
    header(i + 1, [1, at, segment.virtual ?? 0n, segment.physical, length, segment.memorySize ?? length]);
    at += length;
  });
  return concat([head, notes, ...segments.map((segment) => segment.bytes)]);
}

/** An ELF core of the model: a segment for each run of pages, and one without bytes for each run of excluded ones. */
export function makeElfOf(model: MemoryModel, options: MakeElfOptions = {}): Uint8Array {
  const segments: ElfSegment[] = runsOf(model.pages.keys()).map(({ startPfn, endPfn }) => ({
    physical: startPfn * PAGE_SIZE,
    bytes: concat(Array.from({ length: endPfn - startPfn }, (_, i) => model.pages.get(startPfn + i)!)),
  }));
  for (const { startPfn, endPfn } of runsOf(model.excluded)) {
    segments.push({
      physical: startPfn * PAGE_SIZE,
      bytes: new Uint8Array(0),
      memorySize: (endPfn - startPfn) * PAGE_SIZE,
    });
  }
  const notes = model.vmcoreinfo === null ? new Uint8Array(0) : makeNote("VMCOREINFO", 0, ascii(model.vmcoreinfo));
  return makeElf(segments, { notes, ...options });
}
