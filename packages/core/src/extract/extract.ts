import type { Diagnosis } from "../diagnose/diagnosis.ts";
import type { DumpImage } from "../image/dump-image.ts";
import { type KdumpSink, pfnRanges, writeKdump } from "../image/kdump-writer.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { erased } from "./erase-registers.ts";
import { type ExtractProgress, selectPages } from "./select-pages.ts";

/** Everything that makedumpfile can leave out may be missing: zero, cache, private cache, user and free pages. */
const DUMP_LEVEL = 31;

export interface ExtractOptions {
  /** Is told what is being done. */
  readonly progress?: ExtractProgress;
  /** Compresses a page as a zlib stream; a front end may know a faster one for its platform. */
  readonly compress?: (page: Uint8Array) => Uint8Array;
}

export interface ExtractResult {
  /** Length of the file in bytes. */
  readonly size: number;
  readonly pages: number;
  /** Pages that were read, or wanted, but are user memory: left out. */
  readonly userPages: number;
  /** Pages that were read, or wanted, but belong to nobody and may hold what a process left: left out. */
  readonly freePages: number;
  /** Page tables of processes that were searched for pages kept. */
  readonly userTables: number;
  /** What could not be known about the pages kept, in words. */
  readonly unchecked: readonly string[];
  /** The whole dump's diagnosis, which the extract's should be but for `input`. */
  readonly diagnosis: Diagnosis;
  /** The source has no VMCOREINFO note; the kernel's own copy was found in memory and written into the header. */
  readonly vmcoreinfoFromMemory: boolean;
}

/**
 * Writes the part of a dump that a diagnosis needs as a kdump-compressed file that crash and drgn open too. Its diagnosis is
 * that of the whole dump. User memory is never in it.
 * @param sink takes the file's bytes; see KdumpSink
 * @throws SpillwayError `SPW_KERNEL_NOT_FOUND`, and what `sink` throws
 */
export function extractDump(image: DumpImage, sink: KdumpSink, options: ExtractOptions = {}): ExtractResult {
  const progress = options.progress ?? (() => {});
  const { recorded, pages, user, erasures, diagnosis } = selectPages(image, progress);
  const { kernel, location } = recorded;
  let done = 0;
  const fields = headerFields(image, kernel);
  const { size, pages: count } = writeKdump(
    {
      ...fields,
      dumpLevel: DUMP_LEVEL,
      maxPfn: image.memory.maxPfn,
      ram: image.memory.ramRanges?.() ?? image.memory.presentRanges(),
      pages: pfnRanges(pages),
      memory: {
        ...delegate(image),
        page: (pfn) => {
          if (++done % 256 === 0) progress("writing", done, pages.size);
          return erased(image.memory.page(pfn), pfn, erasures);
        },
      },
      vmcoreinfo: location.vmcoreinfoText === null ? null : asciiBytes(location.vmcoreinfoText),
      notes: image.rawNotes,
      physBase: location.physBase,
      ...(options.compress === undefined ? {} : { compress: options.compress }),
    },
    sink,
  );
  return {
    size,
    pages: count,
    userPages: user.user.length,
    freePages: user.free.length,
    userTables: user.tables,
    unchecked: user.unchecked,
    diagnosis,
    vmcoreinfoFromMemory: image.vmcoreinfo === null && location.vmcoreinfoText !== null,
  };
}

function delegate(image: DumpImage) {
  const { memory } = image;
  return {
    maxPfn: memory.maxPfn,
    pageState: (pfn: number) => memory.pageState(pfn),
    presentRanges: () => memory.presentRanges(),
  };
}

/** `utsname` and the time of the dump: libkdumpfile believes a utsname only if none of the usual fields is empty. */
function headerFields(image: DumpImage, kernel: Kernel) {
  const version = / (#.*)$/.exec(kernel.banner)?.[1] ?? "";
  const crashed = kernel.crashTime === null ? 0 : Date.parse(kernel.crashTime) / 1000;
  return {
    sysname: "Linux",
    nodename: kernel.nodename || "(none)",
    release: kernel.release,
    kernelVersion: version,
    timestamp: image.header?.timestamp || crashed,
  };
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0xff);
}
