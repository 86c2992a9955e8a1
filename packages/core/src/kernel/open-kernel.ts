import type { DebugFileFinder } from "../debuginfo/debug-file-finder.ts";
import type { DumpImage } from "../image/dump-image.ts";
import { locateKernel } from "../memory/locate-kernel.ts";
import { openSymbols } from "../symbols/kernel-symbols.ts";
import { DumpKernel } from "./dump-kernel.ts";
import type { Kernel } from "./kernel.ts";

export interface OpenKernelOptions {
  /** How files of debug information are found; none are looked for without it. */
  readonly debugFiles?: DebugFileFinder | undefined;
}

/**
 * Opens the kernel in a dump: finds its page tables and symbols; everything else waits until it is asked for.
 * @throws SpillwayError `SPW_KERNEL_NOT_FOUND` where the dump holds no x86_64 Linux kernel. What is missing beyond that is
 *   null or empty, with a line in `problems`.
 */
export function openKernel(image: DumpImage, options: OpenKernelOptions = {}): Kernel {
  const location = locateKernel(image);
  const problems = [...location.problems];
  if (location.kaslrOffset === null) problems.push("how far the kernel was moved (KASLR) could not be told");
  return new DumpKernel({
    image,
    memory: location.memory,
    vmcoreinfo: location.vmcoreinfo,
    kaslrOffset: location.kaslrOffset ?? 0n,
    pagingLevels: location.levels,
    openSymbols: (types) => openSymbols(location.memory, location.vmcoreinfo, types, { kallsyms: location.kallsyms }),
    debugFiles: options.debugFiles,
    problems,
  });
}
