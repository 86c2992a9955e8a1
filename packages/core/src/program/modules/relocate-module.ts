import { viewOf } from "../../bytes/read.ts";
import { SHT_RELA } from "../../debuginfo/elf/elf-sections.ts";
import { R_X86_64_32, R_X86_64_32S, R_X86_64_64, type RelocationList } from "../relocations.ts";
import { type ModuleFile, SYMBOL_SIZE, sectionBytes, symbolName } from "./module-file.ts";
import type { ModuleLayout } from "./module-layout.ts";

const RELA_SIZE = 24;
const R_X86_64_NONE = 0;
const R_X86_64_PC32 = 2;
const R_X86_64_PLT32 = 4;
const R_X86_64_PC64 = 24;
const STB_WEAK = 2;

/**
 * Tables of places in code for patching and lookup: that an address stands in them says nothing of whether it is called.
 * Their places are filled in, but not listed among the relocations.
 */
const TABLES_OF_PLACES =
  /^(__mcount_loc|__patchable_function_entries|\.parainstructions|\.smp_locks|__ex_table|__bug_table|__jump_table|\.static_call_sites|\.(retpoline|return|call)_sites|\.ibt_endbr_seal|\.altinstructions|\.orc_.*|_kprobe_blacklist|_error_injection_whitelist)$/;

export interface RelocationResult {
  /** Names that nothing defines. What refers to them refers to address 0. */
  readonly unresolved: readonly string[];
  /** Relocations that could not be applied: of a type that modules have not, outside their section, or out of reach. */
  readonly failed: number;
}

/**
 * Applies a module's relocations as the loader does (arch/x86/kernel/module.c, `apply_relocate_add`; types of the x86-64
 * psABI).
 * @param values of the file's symbols; NaN for what is defined elsewhere
 * @param resolve the signed address of a name from elsewhere, null where nothing defines it
 * @param absolute takes the places of absolute addresses
 */
export function relocateModule(
  file: ModuleFile,
  layout: ModuleLayout,
  values: Float64Array,
  resolve: (name: string) => number | null,
  absolute: RelocationList,
): RelocationResult {
  const target = viewOf(layout.bytes);
  const symbols = viewOf(file.symbols);
  const unresolved = new Set<string>();
  let failed = 0;
  for (const section of file.sections) {
    const placed = file.sections[section.info];
    const start = layout.addresses[section.info] ?? Number.NaN;
    if (section.type !== SHT_RELA || placed === undefined || Number.isNaN(start)) continue;
    const entries = sectionBytes(file.bytes, section);
    if (entries === null) {
      failed++;
      continue;
    }
    const listed = !TABLES_OF_PLACES.test(placed.name);
    const view = viewOf(entries);
    for (let at = 0; at + RELA_SIZE <= entries.length; at += RELA_SIZE) {
      const offset = view.getUint32(at, true);
      const type = view.getUint32(at + 8, true);
      const symbol = view.getUint32(at + 12, true);
      const addend = view.getInt32(at + 20, true) * 2 ** 32 + view.getUint32(at + 16, true);
      if (type === R_X86_64_NONE) continue;
      const width = type === R_X86_64_64 || type === R_X86_64_PC64 ? 8 : 4;
      if (view.getUint32(at + 4, true) !== 0 || offset + width > placed.size || symbol >= values.length) {
        failed++;
        continue;
      }
      let value = values[symbol] as number;
      if (Number.isNaN(value)) {
        const name = symbolName(file, symbol);
        const found = resolve(name);
        if (found === null && symbols.getUint8(symbol * SYMBOL_SIZE + 4) >> 4 !== STB_WEAK) unresolved.add(name);
        value = found ?? 0;
        values[symbol] = value;
      }
      const place = start + offset;
      const within = place - layout.base;
      switch (type) {
        case R_X86_64_64:
          target.setBigUint64(within, BigInt.asUintN(64, BigInt(value + addend)), true);
          if (listed) absolute.add(place, true);
          break;
        case R_X86_64_32:
        case R_X86_64_32S:
          target.setInt32(within, value + addend, true);
          if (listed) absolute.add(place, false);
          break;
        case R_X86_64_PC32:
        case R_X86_64_PLT32: {
          const distance = value + addend - place;
          if (distance > 0x7fffffff || distance < -0x80000000) failed++;
          else target.setInt32(within, distance, true);
          break;
        }
        case R_X86_64_PC64:
          target.setBigInt64(within, BigInt(value + addend - place), true);
          break;
        default:
          failed++;
      }
    }
  }
  return { unresolved: [...unresolved], failed };
}
