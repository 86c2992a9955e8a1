import { unsignedAddress } from "../symbols/kallsyms-addresses.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { CfiTable } from "../unwind/cfi.ts";
import { CfiOfFiles } from "../unwind/cfi-kernel.ts";
import type { DebugFileFinder } from "./debug-file-finder.ts";
import { DebugFiles, type DebuggedKernel } from "./debug-files.ts";
import type { DebugInfo, FrameState, SourceFrame, Variable } from "./debug-info.ts";
import type { DwarfFile } from "./dwarf/dwarf-file.ts";
import { sourceFrames } from "./source-frames.ts";
import { variablesAt } from "./variables.ts";
import { stackVariablesAt } from "./variables-slots.ts";
import { DebugTypes } from "./variables-types.ts";

/** Debug information of a dump's kernel and modules. Files are looked for when the first question needs them. */
export class KernelDebugInfo implements DebugInfo {
  readonly files: DebugFiles;
  readonly cfi: CfiTable;
  readonly #types: DebugTypes;

  /** @throws SpillwayError where a file that the user named is not of this kernel (see DebugFiles) */
  constructor(kernel: DebuggedKernel, finder: DebugFileFinder) {
    this.files = new DebugFiles(kernel, finder);
    this.cfi = new CfiOfFiles(this.files);
    this.#types = new DebugTypes(kernel, this.files);
  }

  framesAt(address: bigint): readonly SourceFrame[] {
    const place = this.files.at(address);
    return place === null ? [] : sourceFrames(place.file, place.pc);
  }

  addressesOf(path: string, line: number): readonly bigint[] {
    const file = this.files.vmlinux;
    return file === null ? [] : addressesInFile(file, path, line);
  }

  variablesAt(frame: FrameState): readonly Variable[] {
    return variablesAt(this.#types, frame);
  }

  stackVariablesAt(frame: FrameState): readonly Variable[] {
    return stackVariablesAt(this.#types, frame);
  }

  get kernelTypes(): TypeProvider {
    const { vmlinux } = this.files;
    return vmlinux === null ? EmptyTypes : this.#types.types(vmlinux);
  }

  get types(): TypeProvider {
    return this.#types.all;
  }

  get problems(): readonly string[] {
    return this.files.problems;
  }
}

/** Goes through the line tables of all units. */
function addressesInFile(file: DwarfFile, path: string, line: number): bigint[] {
  const found = new Set<number>();
  for (const unit of file.units()) {
    const table = file.linesOf(unit);
    for (const number of table?.filesNamed(path) ?? []) {
      for (const address of file.attempt(() => table?.addressesOf(number, line)) ?? []) found.add(address);
    }
  }
  return [...found].sort((a, b) => a - b).map((address) => unsignedAddress(address) + file.bias);
}
