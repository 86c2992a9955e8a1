import { ByteWriter } from "./byte-writer.ts";

export interface MadeSection {
  readonly name: string;
  /** SHT code; SHT_PROGBITS by default. */
  readonly type?: number;
  readonly flags?: number;
  readonly address?: bigint;
  readonly bytes?: Uint8Array;
  /** Index of another of the sections, counted from 1. */
  readonly link?: number;
  readonly info?: number;
}

/** Makes an ELF file of 64 bits. Sections are numbered from 1 in the order given; the names follow as the last. */
export function makeElfFile(sections: readonly MadeSection[], type = 2): Uint8Array {
  const names = new ByteWriter().u8(0);
  const all = [{ name: "" }, ...sections, { name: ".shstrtab", type: 3 }] as readonly MadeSection[];
  const nameOffsets = all.map(({ name }) => {
    const at = names.length;
    names.text(name);
    return name === "" ? 0 : at;
  });
  const body = new ByteWriter();
  const places = all.map((section) => {
    const bytes = section.name === ".shstrtab" ? names.bytes : (section.bytes ?? new Uint8Array(0));
    const offset = 64 + body.align(8).length;
    body.append(bytes);
    return { offset, size: bytes.length };
  });
  body.align(8);
  const out = new ByteWriter().u8(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1).align(16);
  out.u16(type).u16(62).u32(1).u64(0).u64(0);
  out
    .u64(64 + body.length)
    .u32(0)
    .u16(64)
    .u16(0)
    .u16(0)
    .u16(64)
    .u16(all.length)
    .u16(all.length - 1);
  out.append(body.bytes);
  all.forEach((section, index) => {
    const { offset, size } = places[index] as { offset: number; size: number };
    out.u32(nameOffsets[index] as number).u32(index === 0 ? 0 : (section.type ?? 1));
    out
      .u64(section.flags ?? 0)
      .u64(section.address ?? 0n)
      .u64(offset)
      .u64(size);
    out
      .u32(section.link ?? 0)
      .u32(section.info ?? 0)
      .u64(1)
      .u64(0);
  });
  return out.bytes;
}

/** A note of `.note.gnu.build-id`. */
export function buildIdNote(id: readonly number[]): Uint8Array {
  return new ByteWriter().u32(4).u32(id.length).u32(3).text("GNU").append(id).align(4).bytes;
}

/** Elf64_Rela entries: place, type, symbol, addend. */
export function relaEntries(entries: readonly (readonly [number, number, number, number])[]): Uint8Array {
  const out = new ByteWriter();
  for (const [place, type, symbol, addend] of entries) out.u64(place).u32(type).u32(symbol).u64(addend);
  return out.bytes;
}

/** Elf64_Sym entries after the empty first one: name offset, info, section, value. */
export function symbolTable(symbols: readonly (readonly [number, number, number, number])[]): Uint8Array {
  const out = new ByteWriter().append(new Uint8Array(24));
  for (const [name, info, section, value] of symbols) out.u32(name).u8(info, 0).u16(section).u64(value).u64(0);
  return out.bytes;
}
