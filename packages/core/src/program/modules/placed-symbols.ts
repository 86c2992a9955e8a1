import { asciiField, viewOf } from "../../bytes/read.ts";
import { SHT_NOBITS } from "../../debuginfo/elf/elf-sections.ts";
import { isJunkName, type ModuleSymbols } from "../../symbols/module-symbols.ts";
import { type ModuleFile, SYMBOL_SIZE } from "./module-file.ts";
import type { ModuleLayout } from "./module-layout.ts";

const SHF_WRITE = 1;
const SHF_EXECINSTR = 4;
const STT_SECTION = 3;
const STT_FILE = 4;
const STB_LOCAL = 0;
const STB_WEAK = 2;
const SHN_ABS = 0xfff1;
const LONGEST_NAME = 512;
const EXPORT = "__ksymtab_";

/** Signed values of all symbols of a file, by number; NaN for what is defined elsewhere or not in memory. */
export function symbolValues(file: ModuleFile, layout: ModuleLayout): Float64Array {
  const view = viewOf(file.symbols);
  const count = Math.floor(file.symbols.length / SYMBOL_SIZE);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const at = i * SYMBOL_SIZE;
    const section = view.getUint16(at + 6, true);
    const value = view.getInt32(at + 12, true) * 2 ** 32 + view.getUint32(at + 8, true);
    values[i] = section === SHN_ABS ? value : value + (layout.addresses[section] ?? Number.NaN);
  }
  // The first symbol stands for none.
  if (count > 0) values[0] = 0;
  return values;
}

/** The module's symbols by address, as the kernel's own kallsyms would list them. */
export function placedSymbols(file: ModuleFile, values: Float64Array): ModuleSymbols {
  const view = viewOf(file.symbols);
  const kept: number[] = [];
  for (let i = 1; i < values.length; i++) {
    const at = i * SYMBOL_SIZE;
    const kind = view.getUint8(at + 4) & 15;
    if (Number.isNaN(values[i]) || view.getUint16(at + 6, true) === SHN_ABS) continue;
    if (kind === STT_SECTION || kind === STT_FILE || isJunkName(file.strings, view.getUint32(at, true))) continue;
    kept.push(i);
  }
  kept.sort((a, b) => (values[a] as number) - (values[b] as number) || a - b);
  const addresses = Float64Array.from(kept, (i) => values[i] as number);
  const sizes = Float64Array.from(kept, (i) => view.getUint32(i * SYMBOL_SIZE + 16, true));
  const types = Uint8Array.from(kept, (i) =>
    letterOf(file, view.getUint8(i * SYMBOL_SIZE + 4), view.getUint16(i * SYMBOL_SIZE + 6, true)),
  );
  const names = Uint32Array.from(kept, (i) => view.getUint32(i * SYMBOL_SIZE, true));
  // A copy, so that the file need not be kept.
  const strings = file.strings.slice();
  return {
    count: kept.length,
    addresses,
    sizes,
    types,
    name: (i) => asciiField(strings, names[i] as number, LONGEST_NAME),
  };
}

function letterOf(file: ModuleFile, info: number, index: number): number {
  const section = file.sections[index];
  const bind = info >> 4;
  let letter = "r";
  if (section !== undefined && (section.flags & SHF_EXECINSTR) !== 0) letter = "t";
  else if (section?.type === SHT_NOBITS) letter = "b";
  else if (section !== undefined && (section.flags & SHF_WRITE) !== 0) letter = "d";
  if (bind === STB_WEAK) letter = "w";
  return (bind === STB_LOCAL ? letter : letter.toUpperCase()).charCodeAt(0);
}

/** Signed addresses of what a module exports, by name: each has a symbol `__ksymtab_NAME` beside it. */
export function exportedSymbols(file: ModuleFile, values: Float64Array): Map<string, number> {
  const view = viewOf(file.symbols);
  const exported = new Set<string>();
  const globals: [string, number][] = [];
  for (let i = 1; i < values.length; i++) {
    const at = i * SYMBOL_SIZE;
    if (Number.isNaN(values[i])) continue;
    const start = view.getUint32(at, true);
    if (startsWith(file.strings, start, EXPORT)) {
      exported.add(asciiField(file.strings, start + EXPORT.length, LONGEST_NAME));
    } else if (view.getUint8(at + 4) >> 4 !== STB_LOCAL) {
      globals.push([asciiField(file.strings, start, LONGEST_NAME), values[i] as number]);
    }
  }
  return new Map(globals.filter(([name]) => exported.has(name)));
}

function startsWith(bytes: Uint8Array, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
