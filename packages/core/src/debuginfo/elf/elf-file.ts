import type { ByteSource } from "../../bytes/byte-source.ts";
import { readExactly } from "../../bytes/read.ts";
import { type CodecTable, portableCodecs } from "../../image/codec/codecs.ts";
import { compressedSection } from "./compressed-section.ts";
import { type DebugSection, LoadedSection, PlainSection, RelocatedSection } from "./debug-section.ts";
import {
  type ElfSection,
  ET_REL,
  readSections,
  SHF_COMPRESSED,
  SHT_NOBITS,
  SHT_NOTE,
  SHT_RELA,
} from "./elf-sections.ts";
import { buildIdOf } from "./notes.ts";
import { type Placement, Relocations } from "./relocations.ts";

export interface ElfFileOptions {
  /** Codecs for compressed sections; the portable ones by default. */
  readonly codecs?: CodecTable;
  /** Addresses of a relocatable file's sections by their name; null for what is not in memory. */
  readonly placement?: (section: string) => bigint | null;
}

const LONGEST_NOTES = 1 << 20;
const LARGEST_SYMTAB = 1 << 28;

/** An ELF file as a place of debug information: its sections, read by range, decompressed and relocated. */
export class ElfFile {
  readonly name: string;
  /** True for a relocatable file: a kernel module before it is loaded. */
  readonly relocatable: boolean;
  readonly sections: readonly ElfSection[];
  /** What could not be read, in words. */
  readonly problems: string[] = [];
  readonly #source: ByteSource;
  readonly #options: ElfFileOptions;
  readonly #opened = new Map<string, DebugSection | null>();
  #symbols: DebugSection | null | undefined;

  /** @throws SpillwayError `SPW_DEBUGINFO_UNSUPPORTED`, `SPW_DEBUGINFO_CORRUPT`, `SPW_INPUT_READ_FAILED` */
  constructor(source: ByteSource, options: ElfFileOptions = {}) {
    this.name = source.name;
    this.#source = source;
    this.#options = options;
    const { type, sections } = readSections(source);
    this.relocatable = type === ET_REL;
    this.sections = sections;
  }

  /** True where it has DWARF; a stripped file has not. */
  get hasDebugInfo(): boolean {
    const names = [".debug_info", ".zdebug_info"];
    return this.sections.some(({ name, type, size }) => names.includes(name) && type !== SHT_NOBITS && size > 0);
  }

  /** The GNU build-id, or null where the file has none. */
  buildId(): Uint8Array | null {
    for (const section of this.sections) {
      if (section.type !== SHT_NOTE || section.size > LONGEST_NOTES) continue;
      const notes = readExactly(this.#source, section.offset, section.size);
      const id = notes === null ? null : buildIdOf(notes);
      if (id !== null) return id;
    }
    return null;
  }

  /**
   * A debug section by its name with the leading dot, ready to be read; null where the file has none.
   * Finds ".debug_info" also under its old compressed name ".zdebug_info".
   */
  section(name: string): DebugSection | null {
    let section = this.#opened.get(name);
    if (section === undefined) {
      section = this.#open(name);
      this.#opened.set(name, section);
    }
    return section;
  }

  #open(name: string): DebugSection | null {
    const old = name.startsWith(".debug_") ? `.zdebug_${name.slice(7)}` : null;
    const found = this.sections.find((one) => one.name === name || one.name === old);
    if (found === undefined) return null;
    const section = this.#content(found);
    if (section === null || !this.relocatable) return section;
    const rela = this.sections.find((one) => one.type === SHT_RELA && one.info === found.index);
    const symbols = rela === undefined ? null : this.#symbolTable(rela.link);
    const entries = rela === undefined ? null : this.#content(rela);
    if (entries === null || symbols === null) return section;
    const relocations = new Relocations(entries, symbols, this.#placement);
    return new RelocatedSection(section, (bytes, offset) => relocations.apply(bytes, offset));
  }

  #content(section: ElfSection): DebugSection | null {
    if (section.type === SHT_NOBITS) return null;
    if ((section.flags & SHF_COMPRESSED) !== 0 || section.name.startsWith(".zdebug_")) {
      return compressedSection(this.#source, section, this.#options.codecs ?? portableCodecs, (text) =>
        this.problems.push(text),
      );
    }
    return new PlainSection(section.name, this.#source, section.offset, section.size);
  }

  readonly #placement: Placement = (index) => {
    const section = this.sections[index];
    return section === undefined ? 0n : (this.#options.placement?.(section.name) ?? 0n);
  };

  /** Every relocation asks for a symbol: a module's table is read whole. */
  #symbolTable(index: number): DebugSection | null {
    if (this.#symbols !== undefined) return this.#symbols;
    const section = this.sections[index];
    const content = section === undefined ? null : this.#content(section);
    this.#symbols =
      content === null || content.size > LARGEST_SYMTAB
        ? content
        : new LoadedSection(content.name, content.size, () => content.bytes(0, content.size));
    return this.#symbols;
  }
}
