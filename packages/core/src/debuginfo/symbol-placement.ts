import { u64, viewOf } from "../bytes/read.ts";
import type { SymbolTable } from "../symbols/symbol-table.ts";
import type { ElfFile } from "./elf/elf-file.ts";
import { SHF_ALLOC, SHT_SYMTAB } from "./elf/elf-sections.ts";

/** Elf64_Sym: st_name u32, st_info u8, st_shndx u16 at 6, st_value u64 at 8. */
const SYMBOL_SIZE = 24;
const MOST_SYMBOLS = 1 << 20;
const STT_OBJECT = 1;
const STT_FUNC = 2;

/**
 * Where a module's sections lie, told from its symbols: each that the kernel knows by address and the file by section gives one.
 * For dumps that lack the module's own account of them.
 */
export function placeBySymbols(file: ElfFile, symbols: SymbolTable, module: string): Map<string, bigint> {
  const placed = new Map<string, bigint>();
  const header = file.sections.find((section) => section.type === SHT_SYMTAB);
  const strings = header === undefined ? undefined : file.sections[header.link];
  const table = header === undefined ? null : file.section(header.name);
  const names = strings === undefined ? null : file.section(strings.name);
  if (table === null || names === null) return placed;
  const count = Math.min(Math.floor(table.size / SYMBOL_SIZE), MOST_SYMBOLS);
  const bytes = table.bytes(0, count * SYMBOL_SIZE);
  if (bytes === null) return placed;
  const view = viewOf(bytes);
  const seen = new Map<string, number>();
  const candidates: { name: string; section: string; value: number }[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * SYMBOL_SIZE;
    const kind = view.getUint8(at + 4) & 15;
    const section = file.sections[view.getUint16(at + 6, true)];
    if ((kind !== STT_OBJECT && kind !== STT_FUNC) || section === undefined || (section.flags & SHF_ALLOC) === 0)
      continue;
    const name = names.cstring(view.getUint32(at, true));
    if (name === null || name === "") continue;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    candidates.push({ name, section: section.name, value: u64(view, at + 8) });
  }
  for (const { name, section, value } of candidates) {
    // A name that two places have tells neither.
    if (placed.has(section) || seen.get(name) !== 1) continue;
    const found = symbols.byName(name, module);
    if (found !== null) placed.set(section, found.address - BigInt(value));
  }
  return placed;
}
