import type { ByteSource } from "../bytes/byte-source.ts";
import { SpillwayError } from "../errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { signedAddress } from "../symbols/kallsyms-addresses.ts";
import type { KernelModule } from "../symbols/symbol-table.ts";
import type { DebugFileFinder, DebugFileRequest } from "./debug-file-finder.ts";
import { DwarfFile } from "./dwarf/dwarf-file.ts";
import { ElfFile } from "./elf/elf-file.ts";
import { hexBuildId } from "./elf/notes.ts";
import { kernelBuildId } from "./kernel-build-id.ts";
import { type ModuleImage, readModuleImage } from "./module-sections.ts";
import { type NamedFiles, sortNamedFiles } from "./named-files.ts";
import { placeBySymbols } from "./symbol-placement.ts";

/** Files that were found and are of no use, of which is told. */
const MOST_REFUSED = 3;

/** What of a kernel the debug files are matched to. */
export type DebuggedKernel = Pick<Kernel, "memory" | "symbols" | "types" | "vmcoreinfo" | "release" | "kaslrOffset">;

/** The debug files of a kernel and its modules: each found, matched by build-id and opened when an address needs it. */
export class DebugFiles {
  readonly #kernel: DebuggedKernel;
  readonly #finder: DebugFileFinder;
  readonly #named: NamedFiles;
  readonly #problems: string[] = [];
  readonly #modules = new Map<string, DwarfFile | null>();
  readonly #images = new Map<string, ModuleImage>();
  #vmlinux: DwarfFile | null | undefined;
  #buildId: string | null | undefined;

  /** @throws SpillwayError `SPW_DEBUGINFO_MISMATCH`, `SPW_DEBUGINFO_EMPTY`, … for a file that the user named */
  constructor(kernel: DebuggedKernel, finder: DebugFileFinder) {
    this.#kernel = kernel;
    this.#finder = finder;
    this.#named = sortNamedFiles(finder.named, {
      buildId: () => this.buildId,
      release: kernel.release,
      modules: () =>
        kernel.symbols.modules.map(({ name }) => ({
          name,
          buildId: () => hexOrNull(this.#image(name)?.buildId ?? null),
        })),
      problem: (text) => this.#problem(text),
    });
  }

  /** The kernel's build-id in hexadecimal, or null where the dump does not tell it. */
  get buildId(): string | null {
    if (this.#buildId === undefined) {
      this.#buildId = kernelBuildId(this.#kernel.memory, this.#kernel.symbols, this.#kernel.vmcoreinfo);
    }
    return this.#buildId;
  }

  get problems(): readonly string[] {
    const files = [this.#vmlinux, ...this.#modules.values()];
    return [...this.#problems, ...files.flatMap((file) => file?.problems ?? [])];
  }

  #problem(text: string): void {
    if (!this.#problems.includes(text)) this.#problems.push(text);
  }

  /** Debug information of the kernel itself; null where none was found. */
  get vmlinux(): DwarfFile | null {
    if (this.#vmlinux === undefined) {
      const elf = this.#find(
        { kind: "kernel", release: this.#kernel.release, buildId: this.buildId },
        this.#named.kernel,
      );
      this.#vmlinux = elf === null ? null : new DwarfFile(elf, this.#bias(elf));
    }
    return this.#vmlinux;
  }

  /** Debug information of a loaded module; null where none was found. */
  module(name: string): DwarfFile | null {
    let file = this.#modules.get(name);
    if (file === undefined) {
      const image = this.#image(name);
      file = image === null ? null : this.#openModule(name, image);
      this.#modules.set(name, file);
    }
    return file;
  }

  /** The file that tells of an address of the running kernel, with the address as that file has it. */
  at(address: bigint): { readonly file: DwarfFile; readonly pc: number } | null {
    const module = this.#moduleAt(address);
    const file = module === null ? this.vmlinux : this.module(module.name);
    return file === null ? null : { file, pc: signedAddress(address - file.bias) };
  }

  #moduleAt(address: bigint): KernelModule | null {
    // The modules' own space begins above the kernel's image; below it no list needs to be read.
    if (this.#inImage(address)) return null;
    const inside = ({ start, size }: { start: bigint; size: number }) =>
      address >= start && address < start + BigInt(size);
    return this.#kernel.symbols.modules.find((module) => module.areas.some(inside)) ?? null;
  }

  #inImage(address: bigint): boolean {
    const start = this.#kernel.symbols.byName("_text", null)?.address;
    const end = this.#kernel.symbols.byName("_end", null)?.address;
    return start !== undefined && end !== undefined && address >= start && address < end;
  }

  #image(name: string): ModuleImage | null {
    let image = this.#images.get(name);
    if (image === undefined) {
      const module = this.#kernel.symbols.modules.find((one) => one.name === name);
      if (module === undefined) return null;
      image = readModuleImage(this.#kernel.memory, this.#kernel.types, module.address);
      this.#images.set(name, image);
    }
    return image;
  }

  /** KASLR moves the whole image: as far as its first symbol is from where it was linked. */
  #bias(elf: ElfFile): bigint {
    const loaded = this.#kernel.symbols.byName("_text", null)?.address;
    const linked = elf.sections.find((section) => section.name === ".text")?.address;
    return loaded === undefined || linked === undefined ? this.#kernel.kaslrOffset : loaded - linked;
  }

  #openModule(name: string, image: ModuleImage): DwarfFile | null {
    let sections: ReadonlyMap<string, bigint> | null = image.sections;
    const placement = (section: string) => sections?.get(section) ?? null;
    const request = { kind: "module", name, release: this.#kernel.release, buildId: hexOrNull(image.buildId) } as const;
    const elf = this.#find(request, this.#named.modules.get(name) ?? null, placement);
    if (elf === null) return null;
    if (!elf.relocatable) {
      this.#problem(`${elf.name}: debug information of a module that is no relocatable file is not read`);
      return null;
    }
    sections ??= placeBySymbols(elf, this.#kernel.symbols, name);
    if (sections.size === 0) {
      this.#problem(
        `where the sections of module ${name} were loaded is not known, so its debug information is no help`,
      );
      return null;
    }
    return new DwarfFile(elf);
  }

  #find(
    request: DebugFileRequest,
    named: ByteSource | null,
    placement?: (section: string) => bigint | null,
  ): ElfFile | null {
    const { codecs } = this.#finder;
    const open = (source: ByteSource) =>
      new ElfFile(source, { ...(codecs && { codecs }), ...(placement && { placement }) });
    if (named !== null) return open(named);
    const refused: string[] = [];
    for (const source of this.#finder.candidates(request)) {
      try {
        const elf = open(source);
        const why = elf.hasDebugInfo ? whyNot(elf, request) : "";
        if (why === null) return elf;
        if (why !== "") refused.push(why);
      } catch (error) {
        if (!(error instanceof SpillwayError)) throw error;
        refused.push(error.message);
      }
    }
    // Worth saying only where nothing better was there.
    for (const why of refused.slice(0, MOST_REFUSED)) this.#problem(why);
    return null;
  }
}

/** Why a file with debug information is not the one wanted; null where it is. */
function whyNot(elf: ElfFile, request: DebugFileRequest): string | null {
  const id = hexOrNull(elf.buildId());
  const what = request.kind === "kernel" ? "the kernel" : `module ${request.name}`;
  if (request.buildId === null) {
    return `${elf.name} was not used: the dump does not tell the build-id of ${what}. Name it with --debuginfo to trust it.`;
  }
  if (id === request.buildId) return null;
  return `${elf.name} was not used: it is of another build (${id ?? "no build-id"}) of ${what} (${request.buildId})`;
}

function hexOrNull(id: Uint8Array | null): string | null {
  return id === null ? null : hexBuildId(id);
}
