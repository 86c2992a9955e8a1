import { SHT_NOTE } from "../../debuginfo/elf/elf-sections.ts";
import { buildIdOf } from "../../debuginfo/elf/notes.ts";
import type { ModuleImage } from "../../debuginfo/module-sections.ts";
import { SpillwayError } from "../../errors.ts";
import { signedAddress, unsignedAddress } from "../../symbols/kallsyms-addresses.ts";
import type { ModuleSymbols } from "../../symbols/module-symbols.ts";
import type { SymbolTable } from "../../symbols/symbol-table.ts";
import { ORC_ENTRY_SIZE } from "../../unwind/orc-layout.ts";
import { unpackerFor } from "../boot-image.ts";
import { RelocationList } from "../relocations.ts";
import { packingOf, portableUnpackers, type Unpackers } from "../unpack.ts";
import { type ModuleFile, readModuleFile, sectionBytes } from "./module-file.ts";
import { layOutModule, type ModuleLayout } from "./module-layout.ts";
import { exportedSymbols, placedSymbols, symbolValues } from "./placed-symbols.ts";
import { relocateModule } from "./relocate-module.ts";
import { sortOrc } from "./sort-orc.ts";

/** MODULES_VADDR of a kernel that KASLR may move, and MODULES_END; arch/x86/include/asm/pgtable_64_types.h. */
const MODULES_START = signedAddress(0xffffffffc0000000n);
const MODULES_END = signedAddress(0xffffffffff000000n);
const PAGE = 4096;
const LARGEST_FILE = 1 << 28;
/** Names of what cannot be found that a line of problems lists. */
const LISTED = 3;

/** A module's file somewhere, read when its turn comes. */
export interface ModuleSource {
  readonly path: string;
  /** All of it, packed or not; what it throws becomes a line among the problems. */
  read(): Uint8Array;
}

/** A module as it would be in memory. */
export interface PlacedModule {
  readonly layout: ModuleLayout;
  readonly symbols: ModuleSymbols;
  readonly release: string | null;
  readonly image: ModuleImage;
  /** Addresses of its ORC tables and the number of their entries; null where it has none. */
  readonly orc: { readonly ip: bigint; readonly orc: bigint; readonly count: number } | null;
  readonly alternatives: { readonly start: bigint; readonly end: bigint } | null;
  readonly btf: Uint8Array | null;
  /** `.BTF.base` of a module that was built apart from its kernel (6.11). */
  readonly btfBase: Uint8Array | null;
}

export interface PlacedModules {
  readonly modules: readonly PlacedModule[];
  readonly relocations: RelocationList;
}

export interface PlaceOptions {
  readonly unpackers?: Unpackers;
  /** The kernel's symbols, and those of the modules that are loaded: these are not placed again. */
  readonly symbols: SymbolTable;
  /** Takes, in words, what was wrong with a module. */
  problem(text: string): void;
}

interface Pending {
  readonly file: ModuleFile;
  readonly layout: ModuleLayout;
  readonly values: Float64Array;
}

/**
 * Loads modules as the kernel would, side by side into the space for modules: sections placed, relocations applied against
 * the kernel's symbols and each other's exports, in any order. A module that cannot be loaded is left out with a line of why.
 */
export function placeModules(sources: Iterable<ModuleSource>, options: PlaceOptions): PlacedModules {
  const { symbols, problem } = options;
  const names = new Set(symbols.modules.map((module) => module.name));
  const exports = new Map<string, number>();
  const pending: Pending[] = [];
  let next = firstFree(symbols);
  for (const source of sources) {
    try {
      const file = readModuleFile(source.path, unpacked(source, options.unpackers ?? portableUnpackers));
      // The first of a name is the one that would be loaded.
      if (names.has(file.name)) continue;
      const layout = layOutModule(file, next);
      if (next + layout.bytes.length > MODULES_END) {
        problem("there are more modules than the kernel has space for; the rest is left out");
        break;
      }
      const values = symbolValues(file, layout);
      names.add(file.name);
      pending.push({ file, layout, values });
      for (const [name, value] of exportedSymbols(file, values)) if (!exports.has(name)) exports.set(name, value);
      next += layout.bytes.length + PAGE;
    } catch (error) {
      if (error instanceof SpillwayError && error.class === "environment") throw error;
      const why = error instanceof Error ? error.message : String(error);
      problem(
        `${source.path}: left out: ${why.startsWith(`${source.path}: `) ? why.slice(source.path.length + 2) : why}`,
      );
    }
  }
  return finish(pending, exports, options);
}

function finish(
  pending: Pending[],
  exports: ReadonlyMap<string, number>,
  { symbols, problem }: PlaceOptions,
): PlacedModules {
  const known = new Map<string, number | null>();
  const resolve = (name: string): number | null => {
    let value = known.get(name);
    if (value === undefined) {
      const kernel = symbols.byName(name, null) ?? null;
      const address = kernel === null ? (exports.get(name) ?? null) : signedAddress(kernel.address);
      // Modules that are loaded already.
      const loaded = address === null ? symbols.byName(name) : null;
      value = loaded === null ? address : signedAddress(loaded.address);
      known.set(name, value);
    }
    return value;
  };
  const relocations = new RelocationList();
  const modules: PlacedModule[] = [];
  for (let i = 0; i < pending.length; i++) {
    const { file, layout, values } = pending[i] as Pending;
    const placed = placedSymbols(file, values);
    const { unresolved, failed } = relocateModule(file, layout, values, resolve, relocations);
    if (unresolved.length > 0) {
      const more = unresolved.length > LISTED ? ` and ${unresolved.length - LISTED} more` : "";
      problem(`module ${file.name}: nothing defines ${unresolved.slice(0, LISTED).join(", ")}${more}`);
    }
    if (failed > 0) problem(`module ${file.name}: ${failed} relocations cannot be applied`);
    modules.push({
      layout,
      symbols: placed,
      release: file.release,
      image: imageOf(file, layout),
      orc: orcOf(file, layout, problem),
      alternatives: alternativesOf(file, layout),
      btf: copyOf(file, ".BTF"),
      btfBase: copyOf(file, ".BTF.base"),
    });
    // Its file is not needed any more, and there are many.
    pending[i] = undefined as never;
  }
  return { modules, relocations };
}

function unpacked(source: ModuleSource, unpackers: Unpackers): Uint8Array {
  const bytes = source.read();
  const packing = packingOf(bytes);
  if (packing === null) return bytes;
  const unpack = unpackerFor({ name: source.path }, packing, unpackers);
  try {
    return unpack(bytes, LARGEST_FILE);
  } catch (error) {
    if (error instanceof SpillwayError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`packed with ${packing}, and damaged or larger than any module (${why})`, { cause: error });
  }
}

/** Behind the last loaded module. */
function firstFree(symbols: SymbolTable): number {
  let end = MODULES_START;
  for (const module of symbols.modules) {
    for (const { start, size } of module.areas) end = Math.max(end, signedAddress(start) + size);
  }
  return Math.ceil(end / PAGE) * PAGE + (end > MODULES_START ? PAGE : 0);
}

/** What `struct module` would tell of it; of sections that share a name, none. */
function imageOf(file: ModuleFile, layout: ModuleLayout): ModuleImage {
  const sections = new Map<string, bigint>();
  const seen = new Set<string>();
  let buildId: Uint8Array | null = null;
  for (const section of file.sections) {
    const address = layout.addresses[section.index] as number;
    if (Number.isNaN(address)) continue;
    if (seen.has(section.name)) sections.delete(section.name);
    else sections.set(section.name, unsignedAddress(address));
    seen.add(section.name);
    if (section.type !== SHT_NOTE || buildId !== null) continue;
    const notes = sectionBytes(file.bytes, section);
    buildId = notes === null ? null : (buildIdOf(notes)?.slice() ?? null);
  }
  return { sections, buildId };
}

function orcOf(file: ModuleFile, layout: ModuleLayout, problem: (text: string) => void): PlacedModule["orc"] {
  const ip = file.sections.find((section) => section.name === ".orc_unwind_ip");
  const orc = file.sections.find((section) => section.name === ".orc_unwind");
  if (ip === undefined || orc === undefined) return null;
  const ipAt = layout.addresses[ip.index] as number;
  const orcAt = layout.addresses[orc.index] as number;
  if (Number.isNaN(ipAt) || Number.isNaN(orcAt)) return null;
  // As `unwind_module_init` would refuse them.
  if (ip.size % 4 !== 0 || orc.size !== (ip.size / 4) * ORC_ENTRY_SIZE) {
    problem(
      `module ${layout.module.name}: its ORC unwind tables cannot be read: its frames are told by its code alone`,
    );
    return null;
  }
  const slice = (at: number, size: number) => layout.bytes.subarray(at - layout.base, at - layout.base + size);
  sortOrc(slice(ipAt, ip.size), slice(orcAt, orc.size));
  return { ip: unsignedAddress(ipAt), orc: unsignedAddress(orcAt), count: ip.size >> 2 };
}

function alternativesOf(file: ModuleFile, layout: ModuleLayout): PlacedModule["alternatives"] {
  const section = file.sections.find((one) => one.name === ".altinstructions");
  const at = section === undefined ? Number.NaN : (layout.addresses[section.index] as number);
  if (section === undefined || Number.isNaN(at)) return null;
  const start = unsignedAddress(at);
  return { start, end: start + BigInt(section.size) };
}

function copyOf(file: ModuleFile, name: string): Uint8Array | null {
  const section = file.sections.find((one) => one.name === name);
  const bytes = section === undefined ? null : sectionBytes(file.bytes, section);
  return bytes === null || bytes.length === 0 ? null : bytes.slice();
}
