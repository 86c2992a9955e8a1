/** Symbols of a kernel's image that is a file: kallsyms, which the image itself carries, or an ELF symbol table. */
import type { ByteSource } from "../bytes/byte-source.ts";
import { readExactly, viewOf } from "../bytes/read.ts";
import { SHF_ALLOC, SHT_NOBITS, SHT_SYMTAB } from "../debuginfo/elf/elf-sections.ts";
import type { MappedRange } from "../memory/kernel-image.ts";
import { u32At } from "../memory/split-address.ts";
import { decodeUtf8 } from "../memory/utf8.ts";
import { type ImageSymbols, openKallsyms } from "../symbols/kallsyms.ts";
import { AddressOrder } from "../symbols/kallsyms-addresses.ts";
import { findKallsyms } from "../symbols/kallsyms-find.ts";
import type { ElfImage } from "./elf-image.ts";
import type { SegmentSpace } from "./segment-space.ts";

const SYMBOL_SIZE = 24;
/** allyesconfig has about 700,000. */
const MOST_SYMBOLS = 1 << 22;
const LONGEST_STRINGS = 1 << 28;
const LONGEST_NAME = 512;
const SHF_WRITE = 1;
const SHF_EXECINSTR = 4;
const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;
const STT_OBJECT = 1;
const STT_SECTION = 3;
const STT_FILE = 4;
const STT_GNU_IFUNC = 10;
const STB_LOCAL = 0;
const STB_WEAK = 2;

/**
 * kallsyms where the image has it with its data symbols (CONFIG_KALLSYMS_ALL), so that a vmlinux and the vmlinuz made of it
 * give the same names; else the file's symbol table, or what there is of kallsyms. Null where there is neither.
 */
export function readImageSymbols(image: ElfImage, space: SegmentSpace): ImageSymbols | null {
  const found = findKallsyms(space, kernelRanges(image));
  const kallsyms = found === null ? null : openKallsyms(space, found, null);
  if (kallsyms !== null && kallsyms.names.scan("_sdata") >= 0) return kallsyms;
  return elfSymbols(image) ?? kallsyms;
}

/** What is loaded at addresses of the kernel's half; which part kallsyms is in is not known, but the first is the likeliest. */
function kernelRanges(image: ElfImage): MappedRange[] {
  return image.segments
    .filter(({ start }) => start >= 0xffffffff80000000n)
    .map(({ start, bytes }) => ({ start, end: start + BigInt(bytes.length), kind: "read-only" }));
}

/** The ELF file's symbol table, in the order in which scripts/kallsyms.c would write it. */
export function elfSymbols(image: Pick<ElfImage, "source" | "sections">): ImageSymbols | null {
  const header = image.sections.find((section) => section.type === SHT_SYMTAB);
  const stringHeader = header === undefined ? undefined : image.sections[header.link];
  if (header === undefined || stringHeader === undefined) return null;
  const count = Math.min(Math.floor(header.size / SYMBOL_SIZE), MOST_SYMBOLS);
  const table = readExactly(image.source, header.offset, count * SYMBOL_SIZE);
  const strings = stringsOf(image.source, stringHeader.offset, stringHeader.size);
  if (table === null || strings === null) return null;
  const view = viewOf(table);
  const kept: number[] = [];
  for (let i = 1; i < count; i++) {
    const at = i * SYMBOL_SIZE;
    const kind = (table[at + 4] as number) & 15;
    const name = u32At(table, at);
    if (view.getUint16(at + 6, true) === SHN_UNDEF || kind === STT_SECTION || kind === STT_FILE) continue;
    if (name < strings.length && strings[name] !== 0) kept.push(i);
  }
  const addressOf = (i: number) =>
    view.getInt32(i * SYMBOL_SIZE + 12, true) * 2 ** 32 + u32At(table, i * SYMBOL_SIZE + 8);
  const isWeak = (i: number) => ((table[i * SYMBOL_SIZE + 4] as number) >> 4 === STB_WEAK ? 1 : 0);
  const underscores = (i: number) => {
    const start = u32At(table, i * SYMBOL_SIZE);
    let end = start;
    while (strings[end] === 0x5f) end++;
    return end - start;
  };
  kept.sort(
    (a, b) =>
      unsignedOrder(addressOf(a), addressOf(b)) || isWeak(a) - isWeak(b) || underscores(a) - underscores(b) || a - b,
  );
  const addresses = Float64Array.from(kept, addressOf);
  const symbols = Uint32Array.from(kept);
  const name = (i: number) => nameAt(strings, u32At(table, (symbols[i] as number) * SYMBOL_SIZE));
  const type = (i: number) => {
    const at = (symbols[i] as number) * SYMBOL_SIZE;
    return letterOf(image, table[at + 4] as number, view.getUint16(at + 6, true));
  };
  let index: Map<string, number[]> | null = null;
  const find = (wanted: string) => {
    index ??= indexNames(symbols.length, name);
    return index.get(wanted) ?? [];
  };
  const names = { count: symbols.length, name, nameAll: () => {}, type, find };
  return { names, addresses, order: new AddressOrder(addresses), problems: [] };
}

function stringsOf(source: ByteSource, offset: number, size: number): Uint8Array | null {
  return size > LONGEST_STRINGS ? null : readExactly(source, offset, size);
}

/** Per-CPU symbols are small numbers, all others negative here. */
function unsignedOrder(a: number, b: number): number {
  return a < 0 === b < 0 ? a - b : b - a;
}

function nameAt(strings: Uint8Array, start: number): string {
  const end = strings.indexOf(0, start);
  return decodeUtf8(strings.subarray(start, Math.min(end < 0 ? strings.length : end, start + LONGEST_NAME)));
}

function indexNames(count: number, name: (i: number) => string): Map<string, number[]> {
  const index = new Map<string, number[]>();
  for (let i = 0; i < count; i++) {
    const one = name(i);
    const known = index.get(one);
    if (known === undefined) index.set(one, [i]);
    else known.push(i);
  }
  return index;
}

/** nm's letter: capital for what is not local. */
function letterOf(image: Pick<ElfImage, "sections">, info: number, sectionIndex: number): string {
  const bind = info >> 4;
  const kind = info & 15;
  if (kind === STT_GNU_IFUNC) return "i";
  if (bind === STB_WEAK) return kind === STT_OBJECT ? "V" : "W";
  const section = image.sections[sectionIndex];
  let letter = "?";
  if (sectionIndex === SHN_ABS) letter = "a";
  else if (section !== undefined && (section.flags & SHF_ALLOC) !== 0) {
    if ((section.flags & SHF_EXECINSTR) !== 0) letter = "t";
    else if (section.type === SHT_NOBITS) letter = "b";
    else letter = (section.flags & SHF_WRITE) !== 0 ? "d" : "r";
  }
  return bind === STB_LOCAL ? letter : letter.toUpperCase();
}
