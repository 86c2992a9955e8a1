import { MemorySource } from "../../bytes/byte-source.ts";
import { asciiField, viewOf } from "../../bytes/read.ts";
import {
  type ElfSection,
  EM_X86_64,
  ET_REL,
  readSections,
  SHF_ALLOC,
  SHT_NOBITS,
  SHT_SYMTAB,
} from "../../debuginfo/elf/elf-sections.ts";
import { moduleNameOf } from "../../debuginfo/named-files.ts";

/** Elf64_Sym. */
export const SYMBOL_SIZE = 24;

/** A kernel module's file (`.ko`), unpacked. Nothing of it is copied. */
export interface ModuleFile {
  readonly path: string;
  readonly name: string;
  /** The release that it was built for, by its `vermagic`; null where it does not say. */
  readonly release: string | null;
  readonly bytes: Uint8Array;
  readonly sections: readonly ElfSection[];
  readonly symbols: Uint8Array;
  readonly strings: Uint8Array;
}

/** The content of a section; null where the file ends before, empty for one of zeros. */
export function sectionBytes(bytes: Uint8Array, section: ElfSection | undefined): Uint8Array | null {
  if (section === undefined || section.type === SHT_NOBITS) return new Uint8Array(0);
  return section.offset + section.size <= bytes.length
    ? bytes.subarray(section.offset, section.offset + section.size)
    : null;
}

/**
 * @throws Error (SpillwayError or another) that says in words why these bytes are no module
 */
export function readModuleFile(path: string, bytes: Uint8Array): ModuleFile {
  const { type, machine, sections } = readSections(new MemorySource(bytes, path));
  if (type !== ET_REL || machine !== EM_X86_64) throw new Error("it is no module for x86_64");
  const table = sections.find((section) => section.type === SHT_SYMTAB);
  const symbols = sectionBytes(bytes, table);
  const strings = table === undefined ? null : sectionBytes(bytes, sections[table.link]);
  if (table === undefined || symbols === null || strings === null) throw new Error("it has no symbol table");
  const info = modinfo(
    sectionBytes(
      bytes,
      sections.find((section) => section.name === ".modinfo"),
    ) ?? new Uint8Array(0),
  );
  const name = info.get("name") ?? moduleNameOf(path);
  return { path, name, release: info.get("vermagic")?.split(" ")[0] ?? null, bytes, sections, symbols, strings };
}

/** `.modinfo`: texts "key=value", each with its NUL; the first of a key counts. */
function modinfo(bytes: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const text = asciiField(bytes, at, 4096);
    const equals = text.indexOf("=");
    if (equals > 0 && !found.has(text.slice(0, equals))) found.set(text.slice(0, equals), text.slice(equals + 1));
    at += text.length + 1;
  }
  return found;
}

/** Whether a section is in memory once the module is loaded: the loader drops two of those that ask for it. */
export function isPlaced(section: ElfSection): boolean {
  return (section.flags & SHF_ALLOC) !== 0 && section.name !== ".modinfo" && section.name !== "__versions";
}

/** The NUL-terminated name of a symbol. */
export function symbolName(file: ModuleFile, symbol: number): string {
  const start = viewOf(file.symbols).getUint32(symbol * SYMBOL_SIZE, true);
  return asciiField(file.strings, start, 512);
}
