import { zstdCompressSync } from "node:zlib";
import { lzoCompressor, snappyCompressor, zlibCompressor } from "../../packages/core/src/image/testing/compressors.ts";
import { makeElfOf } from "../../packages/core/src/image/testing/make-elf.ts";
import { makeFlattened, recordsOf } from "../../packages/core/src/image/testing/make-flattened.ts";
import { makeKdump } from "../../packages/core/src/image/testing/make-kdump.ts";
import { concat, makeNote, makePrstatus, makeQemuNote } from "../../packages/core/src/image/testing/make-notes.ts";
import { ascii, sampleModel } from "../../packages/core/src/image/testing/memory-model.ts";

/** A sound dump to mutate: its files, more than one where it is a split set. */
export interface Seed {
  readonly name: string;
  readonly files: readonly Uint8Array[];
}

/** One small dump of every format, version and codec. */
export function seeds(): Seed[] {
  const model = sampleModel();
  const notes = concat([
    makePrstatus(1, 0x1000n),
    makeQemuNote(0x2000n),
    makeNote("VMCOREINFO", 0, ascii(model.vmcoreinfo!)),
  ]);
  const zstdCompressor = { flag: 0x20, compress: (page: Uint8Array) => new Uint8Array(zstdCompressSync(page)) };
  const kdump = makeKdump(model, { notes, compressor: zlibCompressor });
  const elf = makeElfOf(model, { notes });
  const half = (startPfn: number, endPfn: number) =>
    makeKdump(model, { notes, compressor: lzoCompressor, split: { startPfn, endPfn } });
  return [
    { name: "elf", files: [elf] },
    { name: "elf-qemu", files: [makeElfOf(model, { notes, likeQemu: true })] },
    { name: "elf-extended", files: [makeElfOf(model, { notes, extendedCount: true })] },
    { name: "kdump-raw", files: [makeKdump(model, { notes })] },
    { name: "kdump-zlib", files: [kdump] },
    { name: "kdump-lzo", files: [makeKdump(model, { notes, compressor: lzoCompressor })] },
    { name: "kdump-snappy", files: [makeKdump(model, { notes, compressor: snappyCompressor })] },
    { name: "kdump-zstd", files: [makeKdump(model, { notes, compressor: zstdCompressor })] },
    ...[1, 2, 3, 4, 5].map((version) => ({
      name: `kdump-v${version}`,
      files: [makeKdump(model, { version, notes, compressor: snappyCompressor })],
    })),
    { name: "kdump-incomplete", files: [makeKdump(model, { notes, status: 8, lost: new Set([40, 70]) })] },
    { name: "flattened-kdump", files: [makeFlattened(recordsOf(kdump, [464, 104, 4096, 1000]))] },
    { name: "flattened-elf", files: [makeFlattened(recordsOf(elf, [900, 4096]))] },
    { name: "split", files: [half(0, 8), half(8, 72)] },
  ];
}
