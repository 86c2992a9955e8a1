import type { AddressSpace } from "../memory/address-space.ts";
import { DwarfTypes } from "../types/dwarf-types.ts";
import { LayeredTypes } from "../types/layered-types.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { DebugFiles, DebuggedKernel } from "./debug-files.ts";
import type { DwarfFile } from "./dwarf/dwarf-file.ts";
import type { VariableSource } from "./variables.ts";

/** The types of all debug files of a kernel: vmlinux's first, then each loaded module's, opened when those before do not know. */
export class DebugTypes implements VariableSource {
  readonly memory: AddressSpace;
  readonly #files: DebugFiles;
  readonly #symbols: DebuggedKernel["symbols"];
  #all: TypeProvider | null = null;
  readonly #byFile = new Map<DwarfFile, DwarfTypes>();

  constructor(kernel: DebuggedKernel, files: DebugFiles) {
    this.memory = kernel.memory;
    this.#files = files;
    this.#symbols = kernel.symbols;
  }

  /** The types of all of them. */
  get all(): TypeProvider {
    const from = (file: DwarfFile | null) => (file === null ? null : this.types(file));
    this.#all ??= new LayeredTypes([
      () => from(this.#files.vmlinux),
      ...this.#symbols.modules.map((module) => () => from(this.#files.module(module.name))),
    ]);
    return this.#all;
  }

  at(address: bigint) {
    return this.#files.at(address);
  }

  /** Types as one file has them; what a module only declares is looked for in vmlinux. */
  types(file: DwarfFile): DwarfTypes {
    let types = this.#byFile.get(file);
    if (types === undefined) {
      const { vmlinux } = this.#files;
      types = new DwarfTypes(file, vmlinux === null || vmlinux === file ? null : this.types(vmlinux));
      this.#byFile.set(file, types);
    }
    return types;
  }
}
