/**
 * Where a kernel's image has its code and data, by the symbols that the linker script puts between its sections
 * (arch/x86/kernel/vmlinux.lds.S, include/asm-generic/vmlinux.lds.h).
 */
import type { SymbolTable } from "../symbols/symbol-table.ts";
import type { ProgramArea } from "./program.ts";

interface Bounds {
  readonly section: string;
  /** The first of these that exists. */
  readonly start: readonly string[];
  readonly end: readonly string[];
  readonly init?: true;
}

const TEXT: readonly Bounds[] = [
  { section: ".text", start: ["_stext", "_text"], end: ["_etext"] },
  { section: ".init.text", start: ["_sinittext"], end: ["_einittext"], init: true },
];

/** `.rodata` has what is read-only after the start in it, and `.data` the stack of the first task. */
const DATA: readonly Bounds[] = [
  { section: ".rodata", start: ["__start_rodata"], end: ["__end_rodata"] },
  { section: ".data", start: ["_sdata"], end: ["_edata"] },
];

const ZEROED: Bounds = { section: ".bss", start: ["__bss_start"], end: ["__bss_stop"] };

/** No section of an image is larger than the space that it is linked into. */
const IMAGE = { start: 0xffffffff80000000n, end: 0xffffffffc0000000n };

/** `.text`, and `.init.text` where `init` asks for it. Empty where the symbols are not known. */
export function kernelText(symbols: SymbolTable, init: boolean): ProgramArea[] {
  return areas(symbols, init ? TEXT : TEXT.filter((bounds) => !bounds.init));
}

/** Read-only and writable data, and `.bss` where `zeroed` asks for it. Empty where the kernel keeps no data symbols. */
export function kernelData(symbols: SymbolTable, zeroed: boolean): ProgramArea[] {
  return areas(symbols, zeroed ? [...DATA, ZEROED] : DATA);
}

function areas(symbols: SymbolTable, wanted: readonly Bounds[]): ProgramArea[] {
  const first = (names: readonly string[]): bigint | null => {
    for (const name of names) {
      const symbol = symbols.byName(name, null);
      if (symbol !== null) return symbol.address;
    }
    return null;
  };
  const found: ProgramArea[] = [];
  for (const bounds of wanted) {
    const start = first(bounds.start);
    const end = first(bounds.end);
    if (start === null || end === null || start >= end || start < IMAGE.start || end > IMAGE.end) continue;
    found.push({ start, end, module: null, section: bounds.section, init: bounds.init === true });
  }
  return byAddress(found);
}

export function byAddress(found: ProgramArea[]): ProgramArea[] {
  return found.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}
