import type { ByteSource } from "../../bytes/byte-source.ts";
import { asciiField, readExactly, u64, viewOf } from "../../bytes/read.ts";
import { SpillwayError } from "../../errors.ts";

/** An Elf64_Shdr. Source of the layout: System V gABI, chapter 4. */
export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  /** `sh_addralign`, bytes. */
  readonly align: number;
}

export const ET_REL = 1;
export const SHT_SYMTAB = 2;
export const SHT_RELA = 4;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHF_ALLOC = 2;
export const SHF_COMPRESSED = 0x800;
export const EM_X86_64 = 62;

const EHDR_SIZE = 64;
const SHDR_SIZE = 64;
/** A module built with -ffunction-sections has some thousands. */
const MOST_SECTIONS = 1 << 17;
const LONGEST_NAMES = 1 << 24;
const SHN_XINDEX = 0xffff;

export interface ElfSections {
  /** `e_type`. */
  readonly type: number;
  readonly machine: number;
  readonly sections: readonly ElfSection[];
}

/** True where the source begins as an ELF file of 64 bits, little-endian. */
export function isElf64(source: ByteSource): boolean {
  const ident = readExactly(source, 0, 6);
  return (
    ident !== null &&
    ident[0] === 0x7f &&
    ident[1] === 0x45 &&
    ident[2] === 0x4c &&
    ident[3] === 0x46 &&
    ident[4] === 2 &&
    ident[5] === 1
  );
}

/**
 * Reads the section headers of an ELF file.
 * @throws SpillwayError `SPW_DEBUGINFO_UNSUPPORTED`, `SPW_DEBUGINFO_CORRUPT`
 */
export function readSections(source: ByteSource): ElfSections {
  const header = readExactly(source, 0, EHDR_SIZE);
  if (header === null || !isElf64(source)) {
    throw new SpillwayError("SPW_DEBUGINFO_UNSUPPORTED", `${source.name}: not a 64-bit little-endian ELF file`, {
      facts: { path: source.name },
      hint: "Debug information is in the uncompressed vmlinux of a -dbg or -debuginfo package, not in a vmlinuz.",
    });
  }
  const view = viewOf(header);
  const start = u64(view, 40);
  let count = view.getUint16(60, true);
  let names = view.getUint16(62, true);
  const first = readExactly(source, start, SHDR_SIZE);
  if (start === 0 || first === null) throw damaged(source, "it has no section headers");
  // More than 0xff00 sections: the counts are in section header 0 (gABI).
  if (count === 0) count = u64(viewOf(first), 32);
  if (names === SHN_XINDEX) names = viewOf(first).getUint32(40, true);
  if (view.getUint16(58, true) !== SHDR_SIZE || !(count <= MOST_SECTIONS)) {
    throw damaged(source, `it claims ${count} section headers of ${view.getUint16(58, true)} bytes`);
  }
  const table = readExactly(source, start, count * SHDR_SIZE);
  if (table === null) throw damaged(source, "it ends inside its section headers");
  const headers = viewOf(table);
  const strings = names < count ? readNames(source, headers, names) : new Uint8Array(0);
  const sections: ElfSection[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * SHDR_SIZE;
    sections.push({
      index,
      name: asciiField(strings, headers.getUint32(at, true), 256),
      type: headers.getUint32(at + 4, true),
      flags: u64(headers, at + 8),
      address: headers.getBigUint64(at + 16, true),
      offset: u64(headers, at + 24),
      size: u64(headers, at + 32),
      link: headers.getUint32(at + 40, true),
      info: headers.getUint32(at + 44, true),
      align: u64(headers, at + 48),
    });
  }
  return { type: view.getUint16(16, true), machine: view.getUint16(18, true), sections };
}

function readNames(source: ByteSource, headers: DataView, index: number): Uint8Array {
  const at = index * SHDR_SIZE;
  const size = Math.min(u64(headers, at + 32), LONGEST_NAMES);
  return readExactly(source, u64(headers, at + 24), size) ?? new Uint8Array(0);
}

function damaged(source: ByteSource, what: string): SpillwayError {
  return new SpillwayError("SPW_DEBUGINFO_CORRUPT", `${source.name}: the ELF file is damaged: ${what}`, {
    facts: { path: source.name },
    hint: "It was cut short, perhaps: copy it or install its package again.",
  });
}
