/** Source lines for what a text names: `symbol+offset` looked up in a vmlinux and in modules' debug files. */
import type { ByteSource } from "../bytes/byte-source.ts";
import type { DebugFileFinder, DebugFileRequest } from "../debuginfo/debug-file-finder.ts";
import type { SourceFrame } from "../debuginfo/debug-info.ts";
import { DwarfFile } from "../debuginfo/dwarf/dwarf-file.ts";
import { ElfFile } from "../debuginfo/elf/elf-file.ts";
import { moduleNameOf } from "../debuginfo/named-files.ts";
import { sourceFrames } from "../debuginfo/source-frames.ts";
import { SpillwayError } from "../errors.ts";
import { FileSymbols } from "./symbol-in-file.ts";

/** A place as a text names it. */
export interface NamedPlace {
  readonly function: string;
  readonly module: string | null;
  /** Bytes from the start of the function. */
  readonly offset: number;
  /** Size of the function, up to the next; null where the text does not say it. */
  readonly size: number | null;
  /** A return address: the call lies before it. */
  readonly afterCall: boolean;
}

/** What a text's place is in the source, innermost function first; empty where that is not known. */
export type ResolvePlace = (place: NamedPlace) => readonly SourceFrame[];

interface OpenFile {
  readonly elf: ElfFile;
  readonly dwarf: DwarfFile;
  readonly symbols: FileSymbols;
  readonly named: boolean;
}

/** Functions are padded up to the alignment of the next: 16 bytes, 64 where the kernel was built so. */
const PADDING = 16;
const MOST_PADDING = 64;
/** Of functions whose sizes can be compared, this share may differ: the sizes of a few of assembler are kept by hand. */
const MISFITS = 1 / 4;
/** A relocatable file's sections are laid out this far from each other, to have addresses that differ. */
const SECTION_SHIFT = 28n;

/** Debug files for a text. A text has no build-id: what decides whether a file is of its kernel are the functions' sizes. */
export class TextDebugInfo {
  readonly #finder: DebugFileFinder;
  readonly #release: string;
  readonly #places: readonly NamedPlace[];
  readonly #files = new Map<string | null, OpenFile | null>();

  /** @param places all that the text names, by which files are told to be of its kernel */
  constructor(finder: DebugFileFinder, release: string, places: readonly NamedPlace[]) {
    this.#finder = finder;
    this.#release = release;
    this.#places = places;
  }

  /** @throws SpillwayError `SPW_DEBUGINFO_MISMATCH`, `SPW_DEBUGINFO_EMPTY`, `SPW_DEBUGINFO_UNSUPPORTED`, `SPW_DEBUGINFO_CORRUPT` for a file that the user named */
  readonly resolve: ResolvePlace = (place) => {
    const file = this.#file(place.module);
    const address = file === null ? null : addressOf(file, place);
    if (file === null || address === null) return [];
    // Return addresses lie behind the call, which is what was running.
    const pc = BigInt.asIntN(64, address) - (place.afterCall ? 1n : 0n);
    return sourceFrames(file.dwarf, Number(pc));
  };

  #file(module: string | null): OpenFile | null {
    let file = this.#files.get(module);
    if (file === undefined) {
      file = this.#find(module);
      this.#files.set(module, file);
    }
    return file;
  }

  #find(module: string | null): OpenFile | null {
    for (const source of this.#finder.named) {
      const elf = this.#open(source);
      if (elf.relocatable !== (module !== null) || (module !== null && moduleNameOf(source.name) !== module)) continue;
      if (!elf.hasDebugInfo) throw empty(source.name);
      return this.#checked(elf, module, true);
    }
    if (this.#release === "") return null;
    const request: DebugFileRequest =
      module === null
        ? { kind: "kernel", release: this.#release, buildId: null }
        : { kind: "module", name: module, release: this.#release, buildId: null };
    for (const source of this.#finder.candidates(request)) {
      try {
        const elf = this.#open(source);
        const file = elf.hasDebugInfo ? this.#checked(elf, module, false) : null;
        if (file !== null) return file;
      } catch (error) {
        if (!(error instanceof SpillwayError)) throw error;
      }
    }
    return null;
  }

  #open(source: ByteSource): ElfFile {
    const { codecs } = this.#finder;
    const placement = (name: string): bigint | null => {
      const section = elf.sections.find((one) => one.name === name);
      return section === undefined ? null : BigInt(section.index) << SECTION_SHIFT;
    };
    const elf: ElfFile = new ElfFile(source, codecs === undefined ? { placement } : { placement, codecs });
    return elf;
  }

  /** Null where the file is of another build and was not named. */
  #checked(elf: ElfFile, module: string | null, named: boolean): OpenFile | null {
    const symbols = new FileSymbols(elf);
    let fits = 0;
    let misfit: { place: NamedPlace; size: number } | null = null;
    let misfits = 0;
    for (const place of this.#places) {
      if (place.module !== module || place.size === null) continue;
      const found = symbols.named(place.function);
      if (found.length === 0) continue;
      const sized = found.filter((one) => one.size > 0);
      if (sized.some((one) => place.size! >= one.size && place.size! - one.size < PADDING)) fits++;
      else if (
        sized.length > 0 &&
        sized.length === found.length &&
        !sized.some((one) => fitsSize(one.size, place.size))
      ) {
        misfits++;
        misfit ??= { place, size: sized[0]!.size };
      }
    }
    if (misfit !== null && misfits > (fits + misfits) * MISFITS) {
      if (named) throw mismatch(elf.name, misfit.place, misfit.size, this.#release);
      return null;
    }
    if (fits === 0 && !named) return null;
    return { elf, dwarf: new DwarfFile(elf), symbols, named };
  }
}

function fitsSize(inFile: number, inText: number | null): boolean {
  return inText === null || inFile === 0 || (inText >= inFile && inText - inFile < MOST_PADDING);
}

function addressOf(file: OpenFile, place: NamedPlace): bigint | null {
  const found = file.symbols.named(place.function).filter((one) => fitsSize(one.size, place.size));
  const [symbol] = found;
  // Of several with one name, and one size, it is not known which it was.
  if (symbol === undefined || found.some((one) => one.value !== symbol.value || one.section !== symbol.section))
    return null;
  const base = file.elf.relocatable ? BigInt(symbol.section) << SECTION_SHIFT : 0n;
  return base + symbol.value + BigInt(place.offset);
}

function empty(path: string): SpillwayError {
  return new SpillwayError("SPW_DEBUGINFO_EMPTY", `${path} has no debug information (no section .debug_info)`, {
    facts: { path },
    hint: "It was stripped: give the file of the -dbg or -debuginfo package, or an unstripped build.",
  });
}

function mismatch(path: string, place: NamedPlace, size: number, release: string): SpillwayError {
  return new SpillwayError(
    "SPW_DEBUGINFO_MISMATCH",
    `${path} is of another build: ${place.function} takes ${size} bytes there, and ${place.size} in the log`,
    {
      facts: { path, function: place.function, size, wanted: place.size, release },
      hint: `Install the debug package of exactly this build${release === "" ? "" : ` of ${release}`}, or leave --debuginfo away.`,
    },
  );
}
