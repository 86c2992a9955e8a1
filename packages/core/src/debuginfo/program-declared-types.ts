/** What debug information says of a program: of the kernel and of the modules beside it, each out of a file of its own build. */
import type { ByteSource } from "../bytes/byte-source.ts";
import { SpillwayError } from "../errors.ts";
import { portableCodecs } from "../image/codec/codecs.ts";
import type { Program } from "../program/program.ts";
import { signedAddress } from "../symbols/kallsyms-addresses.ts";
import type { KernelModule } from "../symbols/symbol-table.ts";
import type { CType } from "../types/type-provider.ts";
import type { DebugFileFinder, DebugFileRequest } from "./debug-file-finder.ts";
import { type DeclaredTypes, type DeclaredVariable, DwarfDeclaredTypes } from "./declared-types.ts";
import { DwarfFile } from "./dwarf/dwarf-file.ts";
import { ElfFile } from "./elf/elf-file.ts";
import { hexBuildId } from "./elf/notes.ts";
import { kernelBuildId } from "./kernel-build-id.ts";
import type { ModuleImage } from "./module-sections.ts";
import { sortNamedFiles } from "./named-files.ts";

const NOTHING: ReadonlyMap<number, CType> = new Map();

/** A run of a module's memory. */
interface ModuleRun {
  readonly start: number;
  readonly end: number;
  readonly declared: DwarfDeclaredTypes;
}

class ProgramDeclaredTypes implements DeclaredTypes {
  readonly #kernel: DwarfDeclaredTypes | null;
  readonly #modules: readonly DwarfDeclaredTypes[];
  /** Ascending. */
  readonly #runs: readonly ModuleRun[];
  readonly #found: readonly string[];

  /** @param found problems that were met when the files were opened */
  constructor(
    kernel: DwarfDeclaredTypes | null,
    modules: readonly (readonly [KernelModule, DwarfDeclaredTypes])[],
    found: readonly string[],
  ) {
    this.#found = found;
    this.#kernel = kernel;
    this.#modules = modules.map(([, declared]) => declared);
    this.#runs = modules
      .flatMap(([{ areas }, declared]) =>
        areas.map(({ start, size }) => ({ start: signedAddress(start), end: signedAddress(start) + size, declared })),
      )
      .sort((a, b) => a.start - b.start);
  }

  get problems(): readonly string[] {
    return [...this.#found, ...(this.#kernel?.problems ?? []), ...this.#modules.flatMap(({ problems }) => problems)];
  }

  *variables(): Generator<DeclaredVariable> {
    if (this.#kernel !== null) yield* this.#kernel.variables();
    for (const module of this.#modules) yield* module.variables();
  }

  functionAt(address: bigint): ReturnType<DeclaredTypes["functionAt"]> {
    return this.#at(address)?.functionAt(address) ?? null;
  }

  registersAt(address: bigint): ReadonlyMap<number, CType> {
    return this.#at(address)?.registersAt(address) ?? NOTHING;
  }

  /** Of an address that is in no module with a file, the kernel's file tells, or nothing does. */
  #at(address: bigint): DwarfDeclaredTypes | null {
    const signed = signedAddress(address);
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#runs[middle]!.start <= signed) low = middle + 1;
      else high = middle;
    }
    const run = this.#runs[low - 1];
    return run !== undefined && signed < run.end ? run.declared : this.#kernel;
  }
}

/**
 * Debug information of a program's kernel and of its modules. Named files have to be of the one or the other; what is found
 * besides counts only if it is of the same build. Null where there is none.
 * @param problems takes, in words, what was not used and why; the result has them, too
 * @throws SpillwayError `SPW_DEBUGINFO_MISMATCH`, `SPW_DEBUGINFO_EMPTY`, `SPW_DEBUGINFO_UNSUPPORTED`, `SPW_DEBUGINFO_CORRUPT`
 */
export function declaredTypes(
  program: Program,
  finder: DebugFileFinder,
  problems: string[] = [],
): DeclaredTypes | null {
  const { codecs = portableCodecs } = finder;
  const release = program.release ?? program.name;
  const kernelId = kernelBuildId(program.memory, program.symbols, new Map());
  const images = program.symbols.modules.flatMap((module) => {
    const image = program.moduleImage(module.name);
    return image === null
      ? []
      : [{ module, image, buildId: image.buildId === null ? null : hexBuildId(image.buildId) }];
  });
  const named = sortNamedFiles(finder.named, {
    buildId: () => kernelId,
    release,
    modules: () => images.map(({ module: { name }, buildId }) => ({ name, buildId: () => buildId })),
    problem: (text) => problems.push(text),
  });
  const kernel = named.kernel ?? sameBuild(finder, { kind: "kernel", release, buildId: kernelId }, problems);
  const modules = images.flatMap(({ module, image, buildId }) => {
    const { name } = module;
    const source = named.modules.get(name) ?? sameBuild(finder, { kind: "module", name, release, buildId }, problems);
    const declared = source === null ? null : ofModule(source, image, codecs);
    return declared === null ? [] : [[module, declared] as const];
  });
  if (kernel === null && modules.length === 0) return null;
  return new ProgramDeclaredTypes(kernel === null ? null : ofKernel(kernel, program, codecs), modules, problems);
}

function ofKernel(source: ByteSource, program: Program, codecs: typeof portableCodecs): DwarfDeclaredTypes {
  const elf = new ElfFile(source, { codecs });
  const loaded = program.symbols.byName("_text", null)?.address;
  const linked = elf.sections.find((section) => section.name === ".text")?.address;
  const bias = loaded === undefined || linked === undefined ? 0n : loaded - linked;
  return new DwarfDeclaredTypes(new DwarfFile(elf, bias));
}

/** Null where it is not known where the module's sections lie. */
function ofModule(
  source: ByteSource,
  { sections }: ModuleImage,
  codecs: typeof portableCodecs,
): DwarfDeclaredTypes | null {
  if (sections === null) return null;
  const elf = new ElfFile(source, { codecs, placement: (section) => sections.get(section) ?? null });
  return elf.relocatable ? new DwarfDeclaredTypes(new DwarfFile(elf)) : null;
}

/** The first file that is of the very build and has debug information; null where none is, or the build is not known. */
function sameBuild(finder: DebugFileFinder, request: DebugFileRequest, problems: string[]): ByteSource | null {
  if (request.buildId === null) return null;
  for (const source of finder.candidates(request)) {
    try {
      const elf = new ElfFile(source);
      const id = elf.hasDebugInfo ? elf.buildId() : null;
      if (id !== null && hexBuildId(id) === request.buildId) return source;
    } catch (error) {
      if (!(error instanceof SpillwayError)) throw error;
      problems.push(`passed over: ${error.message}`);
    }
  }
  return null;
}
