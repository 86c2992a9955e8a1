import { PAGE_SIZE } from "../physical-memory.ts";
import { concat, makeNote } from "./make-notes.ts";
import { ascii, type MemoryModel } from "./memory-model.ts";

export interface PageCompressor {
  /** Flag for the page descriptor. */
  readonly flag: number;
  readonly compress: (page: Uint8Array) => Uint8Array;
}

export interface MakeKdumpOptions {
  /** Header version, 1 to 6; 6 unless given. */
  readonly version?: number;
  /** Null stores every page as it is. */
  readonly compressor?: PageCompressor | null;
  readonly split?: { readonly startPfn: number; readonly endPfn: number };
  readonly status?: number;
  readonly machine?: string;
  readonly blockSize?: number;
  /** Leaves the first bitmap out, as the dumps did that no page was filtered from. */
  readonly oneBitmap?: boolean;
  /** Frames whose descriptor is left all zero: what an incomplete dump lost. */
  readonly lost?: ReadonlySet<number>;
  readonly notes?: Uint8Array;
}

/**
 * A kdump-compressed file of the model, written field by field from the format's description and not with the code under
 * test.
 */
export function makeKdump(model: MemoryModel, options: MakeKdumpOptions = {}): Uint8Array {
  const version = options.version ?? 6;
  const block = options.blockSize ?? PAGE_SIZE;
  const vmcoreinfo = ascii(model.vmcoreinfo ?? "");
  const notes =
    options.notes ?? (model.vmcoreinfo === null ? new Uint8Array(0) : makeNote("VMCOREINFO", 0, vmcoreinfo));
  const subBlocks = Math.ceil((104 + notes.length + vmcoreinfo.length) / block);
  const bitmapBlocks = Math.ceil(model.maxPfn / 8 / block);
  const bitmaps = options.oneBitmap ? 1 : 2;
  const bitmapAt = (1 + subBlocks) * block;
  const descriptorsAt = bitmapAt + bitmaps * bitmapBlocks * block;
  const from = options.split?.startPfn ?? 0;
  const to = options.split?.endPfn ?? model.maxPfn;
  const dumped = [...model.pages.keys()].sort((a, b) => a - b).filter((pfn) => pfn >= from && pfn < to);

  const head = new Uint8Array(descriptorsAt + dumped.length * 24);
  const view = new DataView(head.buffer);
  const text = (at: number, value: string) => head.set(ascii(value), at);
  text(0, "KDUMP   ");
  view.setInt32(8, version, true);
  text(12, "Linux");
  text(12 + 65, "testnode");
  text(12 + 2 * 65, "6.1.0-test");
  text(12 + 3 * 65, "#1 SMP");
  text(12 + 4 * 65, options.machine ?? "x86_64");
  view.setBigInt64(408, 1_700_000_000n, true);
  view.setUint32(424, options.status ?? 0, true);
  view.setInt32(428, block, true);
  view.setInt32(432, subBlocks, true);
  view.setUint32(436, bitmaps * bitmapBlocks, true);
  // From version 6 on the 32-bit field is obsolete; a wrong value there must do no harm.
  view.setUint32(440, version >= 6 ? 1 : model.maxPfn, true);
  view.setInt32(460, 2, true);

  const sub = block;
  view.setBigInt64(sub, -4096n, true);
  if (version >= 1) view.setInt32(sub + 8, 31, true);
  if (version >= 2 && options.split) {
    view.setInt32(sub + 12, 1, true);
    view.setBigUint64(sub + 16, version >= 6 ? 0n : BigInt(from), true);
    view.setBigUint64(sub + 24, version >= 6 ? 0n : BigInt(to), true);
  }
  const notesAt = sub + 104;
  const vmcoreinfoAt = notesAt + notes.length;
  if (version >= 3 && vmcoreinfo.length > 0) {
    view.setBigUint64(sub + 32, BigInt(vmcoreinfoAt), true);
    view.setBigUint64(sub + 40, BigInt(vmcoreinfo.length), true);
    head.set(vmcoreinfo, vmcoreinfoAt);
  }
  if (version >= 4 && notes.length > 0) {
    view.setBigUint64(sub + 48, BigInt(notesAt), true);
    view.setBigUint64(sub + 56, BigInt(notes.length), true);
    head.set(notes, notesAt);
  }
  if (version >= 6) {
    view.setBigUint64(sub + 80, BigInt(from), true);
    view.setBigUint64(sub + 88, BigInt(to), true);
    view.setBigUint64(sub + 96, BigInt(model.maxPfn), true);
  }

  const setBit = (bitmap: number, pfn: number) => {
    const at = bitmapAt + bitmap * bitmapBlocks * block + (pfn >> 3);
    head[at] = head[at]! | (1 << (pfn & 7));
  };
  // Every file of a split set holds both bitmaps whole.
  for (const pfn of model.pages.keys()) {
    if (!options.oneBitmap) setBit(0, pfn);
    setBit(bitmaps - 1, pfn);
  }
  if (!options.oneBitmap) for (const pfn of model.excluded) setBit(0, pfn);

  const compressor = options.compressor ?? null;
  const data: Uint8Array[] = [];
  let at = head.length;
  let zero: { offset: number; size: number; flags: number } | null = null;
  dumped.forEach((pfn, i) => {
    if (options.lost?.has(pfn)) return;
    const page = model.pages.get(pfn)!;
    const packed = compressor?.compress(page) ?? page;
    const flags = compressor !== null && packed.length < PAGE_SIZE ? compressor.flag : 0;
    const bytes = flags === 0 ? page : packed;
    const isZero = page.every((byte) => byte === 0);
    let where = { offset: at, size: bytes.length, flags };
    if (isZero && zero !== null) {
      where = zero;
    } else {
      data.push(bytes);
      at += bytes.length;
      if (isZero) zero = where;
    }
    const descriptor = descriptorsAt + i * 24;
    view.setBigUint64(descriptor, BigInt(where.offset), true);
    view.setUint32(descriptor + 8, where.size, true);
    view.setUint32(descriptor + 12, where.flags, true);
  });
  return concat([head, ...data]);
}
