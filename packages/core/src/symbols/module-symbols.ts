import type { AddressSpace } from "../memory/address-space.ts";
import { readWhilePresent } from "../memory/read-while-present.ts";
import { u32At } from "../memory/split-address.ts";
import { decodeUtf8 } from "../memory/utf8.ts";
import { signedAddress } from "./kallsyms-addresses.ts";
import type { LoadedModule } from "./module-list.ts";

/** Elf64_Sym: st_name u32, st_info u8, st_other u8, st_shndx u16, st_value u64, st_size u64. */
const SYMBOL_SIZE = 24;
/** amdgpu, the largest module there is, has some 30,000. */
const MOST_SYMBOLS = 1 << 20;
const LONGEST_STRINGS = 1 << 26;
const LONGEST_NAME = 512;
const SHN_UNDEF = 0;
const SHN_ABS = 0xfff1;
const STT_SECTION = 3;
const STT_FILE = 4;

/** One module's symbols, ascending by address. */
export interface ModuleSymbols {
  readonly count: number;
  /** Signed addresses (kallsyms-addresses.ts), ascending. */
  readonly addresses: Float64Array;
  /** Bytes, 0 where the symbol table does not say. */
  readonly sizes: Float64Array;
  /** Character codes of nm's letters. */
  readonly types: Uint8Array;
  name(i: number): string;
}

const NONE: ModuleSymbols = {
  count: 0,
  addresses: new Float64Array(0),
  sizes: new Float64Array(0),
  types: new Uint8Array(0),
  name: () => "",
};

/**
 * Reads a module's symbol table (the kernel keeps it for kallsyms).
 * @param problems takes, in words, what could not be read
 */
export function readModuleSymbols(space: AddressSpace, module: LoadedModule, problems: string[]): ModuleSymbols {
  const at = module.symbols;
  if (at === null || at.count === 0) return NONE;
  const wanted = Math.min(at.count, MOST_SYMBOLS);
  const table = readWhilePresent(space, at.symtab, wanted * SYMBOL_SIZE);
  const count = Math.floor(table.length / SYMBOL_SIZE);
  if (count < at.count)
    problems.push(`${at.count - count} of ${at.count} symbols of module ${module.name} are missing`);
  const letters = at.typetab === null ? null : space.read(at.typetab, count);
  const letterPlace = letters === null ? placeOfLetters(table, count) : "none";

  const kept: number[] = [];
  let lastName = 0;
  for (let i = 0; i < count; i++) {
    const entry = i * SYMBOL_SIZE;
    const kind = (table[entry + 4] as number) & 15;
    const section = (table[entry + 6] as number) | ((table[entry + 7] as number) << 8);
    const name = u32At(table, entry);
    if (name === 0 || name >= LONGEST_STRINGS || section === SHN_UNDEF || section === SHN_ABS) continue;
    if (letterPlace !== "info" && (kind === STT_SECTION || kind === STT_FILE)) continue;
    kept.push(i);
    if (name > lastName) lastName = name;
  }
  const strings = readWhilePresent(space, at.strtab, Math.min(lastName + LONGEST_NAME, LONGEST_STRINGS));
  const usable = kept.filter((i) => !isJunkName(strings, u32At(table, i * SYMBOL_SIZE)));

  const addressOf = (i: number) =>
    (u32At(table, i * SYMBOL_SIZE + 12) | 0) * 0x100000000 + u32At(table, i * SYMBOL_SIZE + 8);
  usable.sort((a, b) => addressOf(a) - addressOf(b) || a - b);

  const addresses = new Float64Array(usable.length);
  const sizes = new Float64Array(usable.length);
  const types = new Uint8Array(usable.length);
  const names = new Uint32Array(usable.length);
  usable.forEach((i, rank) => {
    const entry = i * SYMBOL_SIZE;
    addresses[rank] = addressOf(i);
    sizes[rank] = letterPlace === "size" ? 0 : u32At(table, entry + 16) + u32At(table, entry + 20) * 0x100000000;
    types[rank] =
      letters !== null
        ? (letters[i] as number)
        : letterPlace === "info"
          ? (table[entry + 4] as number)
          : letterPlace === "size"
            ? (table[entry + 16] as number)
            : letterFor(module, table[entry + 4] as number, addresses[rank] as number);
    names[rank] = u32At(table, entry);
  });
  const name = (rank: number) => {
    const start = names[rank] as number;
    const end = strings.indexOf(0, start);
    return decodeUtf8(strings.subarray(start, Math.min(end < 0 ? strings.length : end, start + LONGEST_NAME)));
  };
  return { count: usable.length, addresses, sizes, types, name };
}

/**
 * Before `typetab` the kernel wrote the type letter over `st_info` (to 4.20) or over `st_size` (5439c985c5a8, 5.0 and
 * 5.1). Every symbol's field is then a letter, which real values of either are not.
 */
function placeOfLetters(table: Uint8Array, count: number): "info" | "size" | "none" {
  let info = 0;
  let size = 0;
  for (let i = 0; i < count; i++) {
    const entry = i * SYMBOL_SIZE;
    if (isLetter(table[entry + 4] as number)) info++;
    if (isLetter(u32At(table, entry + 16)) && u32At(table, entry + 20) === 0) size++;
  }
  return info === count ? "info" : size === count ? "size" : "none";
}

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x3f || code === 0x2d;
}

/** The letter by binding and place, where the kernel's own could not be read. */
function letterFor(module: LoadedModule, info: number, address: number): number {
  const text = module.areas.some(
    (area) => area.text && address >= signedAddress(area.start) && address < signedAddress(area.start) + area.size,
  );
  const letter = text ? "t" : "d";
  return (info >>> 4 === 0 ? letter : letter.toUpperCase()).charCodeAt(0);
}

/** Compiler's local labels and mapping symbols, as scripts and kernel skip them (`is_mapping_symbol`), and no name. */
export function isJunkName(strings: Uint8Array, start: number): boolean {
  const first = strings[start];
  const second = strings[start + 1];
  if (first === undefined || first === 0) return true;
  // ".L…", "L0\x01…" and "$x", "$d".
  return (first === 0x2e && second === 0x4c) || (first === 0x4c && second === 0x30) || first === 0x24;
}
