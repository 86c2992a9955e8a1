/** Functions of an ELF file by name: its symbol table as a place to look up what a log names. */
import { viewOf } from "../bytes/read.ts";
import type { ElfFile } from "../debuginfo/elf/elf-file.ts";
import { SHT_SYMTAB } from "../debuginfo/elf/elf-sections.ts";

/** Elf64_Sym: st_name u32, st_info u8 at 4, st_shndx u16 at 6, st_value u64 at 8, st_size u64 at 16. */
const SYMBOL_SIZE = 24;
const MOST_SYMBOLS = 1 << 21;
const MOST_NAMES = 1 << 27;
const STT_NOTYPE = 0;
const STT_FUNC = 2;

export interface FileSymbol {
  /** In a relocatable file relative to its section. */
  readonly value: bigint;
  /** Bytes, without what pads it up to the next function. */
  readonly size: number;
  /** Index of the section it lies in. */
  readonly section: number;
}

export class FileSymbols {
  readonly #symbols: DataView | null;
  readonly #names: Uint8Array | null;

  constructor(file: ElfFile) {
    const header = file.sections.find((section) => section.type === SHT_SYMTAB);
    const strings = header === undefined ? undefined : file.sections[header.link];
    const table = header === undefined ? null : file.section(header.name);
    const names = strings === undefined ? null : file.section(strings.name);
    const size = table === null ? 0 : Math.min(table.size, MOST_SYMBOLS * SYMBOL_SIZE);
    const bytes = size === 0 ? null : table!.bytes(0, size);
    this.#symbols = bytes === null ? null : viewOf(bytes);
    this.#names = names === null || names.size > MOST_NAMES ? null : names.bytes(0, names.size);
  }

  /** All functions of that name; static ones may share it. */
  named(name: string): FileSymbol[] {
    const found: FileSymbol[] = [];
    if (this.#symbols === null || this.#names === null) return found;
    const places = this.#placesOf(name);
    if (places.size === 0) return found;
    const view = this.#symbols;
    for (let at = 0; at + SYMBOL_SIZE <= view.byteLength; at += SYMBOL_SIZE) {
      if (!places.has(view.getUint32(at, true))) continue;
      const kind = view.getUint8(at + 4) & 15;
      const section = view.getUint16(at + 6, true);
      // Entry code of assembler has symbols without a type.
      if ((kind !== STT_FUNC && kind !== STT_NOTYPE) || section === 0 || section >= 0xff00) continue;
      found.push({ value: view.getBigUint64(at + 8, true), size: Number(view.getBigUint64(at + 16, true)), section });
    }
    return found;
  }

  /** Offsets in the string table where the name stands to its NUL; one string may be the end of another. */
  #placesOf(name: string): Set<number> {
    const names = this.#names!;
    const wanted = Uint8Array.from([...name].map((letter) => letter.charCodeAt(0) & 0xff).concat(0));
    const places = new Set<number>();
    const first = wanted[0]!;
    for (let at = names.indexOf(first); at >= 0; at = names.indexOf(first, at + 1)) {
      let length = 1;
      while (length < wanted.length && names[at + length] === wanted[length]) length++;
      if (length === wanted.length) places.add(at);
    }
    return places;
  }
}
