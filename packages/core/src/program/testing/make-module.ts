import { ByteWriter } from "../../debuginfo/testing/byte-writer.ts";
import { type MadeSection, makeElfFile, relaEntries } from "../../debuginfo/testing/make-elf-file.ts";

export interface ModuleSymbol {
  readonly name: string;
  /** Index of its section, counted from 1; 0: defined elsewhere. */
  readonly section: number;
  readonly value?: number;
  readonly size?: number;
  readonly bind?: "local" | "global" | "weak";
}

export interface MadeModule {
  readonly name: string;
  readonly release?: string;
  /** Sections counted from 1. */
  readonly sections: readonly MadeSection[];
  /** Symbols counted from 1. */
  readonly symbols: readonly ModuleSymbol[];
  /** By section: place, type, symbol, addend. */
  readonly relocations?: Readonly<Record<number, readonly (readonly [number, number, number, number])[]>>;
}

const BINDS = { local: 0, global: 1, weak: 2 };
/** SHF_ALLOC with SHF_EXECINSTR, with SHF_WRITE, alone. */
export const CODE = 6;
export const DATA = 3;
export const CONSTANT = 2;

/** A kernel module's file. */
export function makeModule({
  name,
  release = "6.1.0-test",
  sections,
  symbols,
  relocations = {},
}: MadeModule): Uint8Array {
  const strings = new ByteWriter().u8(0);
  const table = new ByteWriter().append(new Uint8Array(24));
  for (const { name: own, section, value = 0, size = 0, bind = "local" } of symbols) {
    table
      .u32(strings.length)
      .u8(BINDS[bind] << 4, 0)
      .u16(section)
      .u64(value)
      .u64(size);
    strings.text(own);
  }
  const info = new ByteWriter().text(`name=${name}`).text(`vermagic=${release} SMP mod_unload`).bytes;
  const symtab = sections.length + 2;
  const relas = Object.entries(relocations).map(([section, entries]): MadeSection => {
    const at = Number(section);
    return { name: `.rela${sections[at - 1]!.name}`, type: 4, link: symtab, info: at, bytes: relaEntries(entries) };
  });
  return makeElfFile(
    [
      ...sections,
      { name: ".modinfo", flags: CONSTANT, bytes: info },
      { name: ".symtab", type: 2, link: symtab + 1, bytes: table.bytes },
      { name: ".strtab", type: 3, bytes: strings.bytes },
      ...relas,
    ],
    1,
  );
}
