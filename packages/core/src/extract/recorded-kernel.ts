import type { DumpImage } from "../image/dump-image.ts";
import { DumpKernel } from "../kernel/dump-kernel.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { physBaseOf } from "../memory/find-page-table.ts";
import { mappedKernelRanges } from "../memory/kernel-image.ts";
import { type KernelLocation, locateKernel } from "../memory/locate-kernel.ts";
import { PagedAddressSpace } from "../memory/paged-address-space.ts";
import { findKallsyms } from "../symbols/kallsyms-find.ts";
import { openSymbols } from "../symbols/kernel-symbols.ts";
import { vmcoreNumber, vmcoreSymbol } from "../symbols/vmcoreinfo.ts";
import { RecordedSpace } from "./recorded-space.ts";
import { RecordingMemory } from "./recording-memory.ts";

/** A kernel whose every answer leaves a trace of the pages it rests on. */
export interface RecordedKernel {
  readonly kernel: Kernel;
  readonly record: RecordingMemory;
  readonly space: RecordedSpace;
  /** The same memory without a record. */
  readonly unrecorded: PagedAddressSpace;
  readonly location: KernelLocation;
}

/**
 * Opens the kernel of a dump for recording. Finding it is not recorded, since without VMCOREINFO that means reading
 * through all of memory; the pages by which it will be found again are.
 * @throws SpillwayError `SPW_KERNEL_NOT_FOUND`
 */
export function openRecordedKernel(image: DumpImage): RecordedKernel {
  const location = locateKernel(image);
  const record = new RecordingMemory(image.memory);
  const mask = BigInt.asUintN(64, vmcoreNumber(location.vmcoreinfo, "sme_mask") ?? 0n);
  const paged = (memory: RecordingMemory | DumpImage["memory"], pgd: bigint) =>
    new PagedAddressSpace(memory, pgd, location.levels, mask);
  const space = new RecordedSpace(paged(record, location.pgdPhysical), location.memory);
  const recordedImage: DumpImage = {
    format: "kdump",
    flattened: false,
    memory: record,
    vmcoreinfo: location.vmcoreinfoText,
    cpuNotes: image.cpuNotes,
    rawNotes: image.rawNotes,
    header: image.header,
    virtualRanges: [],
    problems: image.problems,
  };
  const kernel = new DumpKernel({
    image: recordedImage,
    memory: space,
    vmcoreinfo: location.vmcoreinfo,
    kaslrOffset: location.kaslrOffset ?? 0n,
    pagingLevels: location.levels,
    openSymbols: (types) => openSymbols(space.recorded, location.vmcoreinfo, types, { kallsyms: location.kallsyms }),
    problems: location.problems,
  });
  const swapper =
    vmcoreSymbol(location.vmcoreinfo, "swapper_pg_dir") ?? vmcoreSymbol(location.vmcoreinfo, "init_top_pgt");
  if (swapper !== null) space.recorded.view(swapper);
  else keepWhatFindsIt(image, space.recorded, (pgd) => paged(record, pgd), location);
  return { kernel, record, space, unrecorded: location.memory, location };
}

/** Without VMCOREINFO the kernel is found by CR3 or the image's own beginning, and its symbols by their look. */
function keepWhatFindsIt(
  image: DumpImage,
  space: PagedAddressSpace,
  through: (pgd: bigint) => PagedAddressSpace,
  location: KernelLocation,
): void {
  physBaseOf(space);
  for (const range of mappedKernelRanges(space)) space.view(range.start);
  for (const note of image.cpuNotes.slice(0, 64)) if (note.control !== null) physBaseOf(through(note.control.cr3));
  if (location.kallsyms !== null) findKallsyms(space, mappedKernelRanges(space));
}
