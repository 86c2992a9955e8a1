import type { AddressSpace } from "../memory/address-space.ts";
import { mappedKernelRanges } from "../memory/kernel-image.ts";
import { PagedAddressSpace } from "../memory/paged-address-space.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import { type Kallsyms, type KallsymsLocations, kallsymsFromVmcoreinfo, openKallsyms } from "./kallsyms.ts";
import { signedAddress, unsignedAddress } from "./kallsyms-addresses.ts";
import { findKallsyms } from "./kallsyms-find.ts";
import { type LoadedModule, readModules } from "./module-list.ts";
import { type ModuleSymbols, readModuleSymbols } from "./module-symbols.ts";
import type { FunctionRange, KernelModule, KernelSymbol, SymbolAt, SymbolTable } from "./symbol-table.ts";
import { type Vmcoreinfo, vmcoreSymbol } from "./vmcoreinfo.ts";

/** Aliases of one address that are looked at; real kernels have a few hundred at most (`sys_ni_syscall`'s). */
const MOST_ALIASES = 1024;

export interface OpenSymbolsOptions {
  /** Where kallsyms lies, where `locateKernel` has found it already. */
  readonly kallsyms?: KallsymsLocations | null;
}

/**
 * Opens the symbols of a kernel and its modules. Nothing is read of modules, and no index of names built, before a
 * question needs them.
 * @param types layouts for the modules, or null; a function is called when modules are first asked for (BTF is itself
 *   found through symbols)
 * @returns a table that is empty of kernel symbols where kallsyms cannot be found; `problems` says so
 */
export function openSymbols(
  space: AddressSpace,
  vmcoreinfo: Vmcoreinfo,
  types: TypeProvider | null | (() => TypeProvider | null),
  options: OpenSymbolsOptions = {},
): KernelSymbols {
  const stext = vmcoreSymbol(vmcoreinfo, "_stext");
  const told = options.kallsyms ?? kallsymsFromVmcoreinfo(space, vmcoreinfo);
  let kallsyms = told === null ? null : openKallsyms(space, told, stext);
  if (kallsyms === null) {
    const found = space instanceof PagedAddressSpace ? findKallsyms(space, mappedKernelRanges(space)) : null;
    kallsyms = found === null ? null : openKallsyms(space, found, stext);
  }
  return new KernelSymbols(space, kallsyms, types);
}

/** A range of signed addresses. */
interface Span {
  readonly start: number;
  readonly end: number;
}

interface ModuleArea extends Span {
  readonly text: boolean;
}

/** A module with its symbols, read when first needed. */
interface ModuleEntry {
  readonly module: LoadedModule;
  readonly areas: readonly ModuleArea[];
  symbols: ModuleSymbols | null;
}

export class KernelSymbols implements SymbolTable {
  /** Null where the kernel's own symbols could not be found. */
  readonly kallsyms: Kallsyms | null;
  readonly #space: AddressSpace;
  #types: TypeProvider | null | (() => TypeProvider | null);
  #entries: ModuleEntry[] | null = null;
  #reading = false;
  #spans: { text: Span[]; image: Span | null } | null = null;
  readonly #problems: string[] = [];

  constructor(
    space: AddressSpace,
    kallsyms: Kallsyms | null,
    types: TypeProvider | null | (() => TypeProvider | null),
  ) {
    this.#space = space;
    this.kallsyms = kallsyms;
    this.#types = types;
    if (kallsyms === null) this.#problems.push("kallsyms was not found in the dump, so kernel addresses have no names");
    else this.#problems.push(...kallsyms.problems);
  }

  /** What was missing so far, in words. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  get modules(): readonly KernelModule[] {
    return this.#moduleEntries().map((entry) => entry.module);
  }

  byName(name: string, module?: string | null): KernelSymbol | null {
    if (module === undefined || module === null) {
      const symbol = firstGlobal(this.#kernelNamed(name));
      if (symbol !== null || module === null) return symbol;
    }
    for (const entry of this.#moduleEntries()) {
      if (module !== undefined && entry.module.name !== module) continue;
      const symbol = firstGlobal(this.#moduleNamed(entry, name));
      if (symbol !== null) return symbol;
    }
    return null;
  }

  allByName(name: string): readonly KernelSymbol[] {
    const found = this.#kernelNamed(name);
    for (const entry of this.#moduleEntries()) found.push(...this.#moduleNamed(entry, name));
    return found;
  }

  byAddress(address: bigint): SymbolAt | null {
    const signed = signedAddress(address);
    const image = this.#layout().image;
    if (image !== null && signed >= image.start && signed < image.end) return this.#kernelAt(signed);
    const entry = this.#moduleAt(signed);
    if (entry === null) return null;
    const symbols = this.#symbolsOf(entry);
    const rank = floorRank(symbols.addresses, signed);
    const area = areaOf(entry, signed);
    if (rank < 0 || area === null || (symbols.addresses[rank] as number) < area.start) return null;
    const best = preferredModuleSymbol(symbols, rank, false);
    return { symbol: moduleSymbol(entry, symbols, best), offset: signed - (symbols.addresses[best] as number) };
  }

  functionAt(address: bigint): FunctionRange | null {
    const signed = signedAddress(address);
    const span = this.#layout().text.find((text) => signed >= text.start && signed < text.end);
    if (span !== undefined) return this.#kernelFunction(signed, span);
    const entry = this.#moduleAt(signed);
    const area = entry === null ? null : areaOf(entry, signed);
    if (entry === null || area === null || !area.text) return null;
    return this.#moduleFunction(entry, signed, area);
  }

  isText(address: bigint): boolean {
    const signed = signedAddress(address);
    if (signed >= 0) return false;
    for (const span of this.#layout().text) if (signed >= span.start && signed < span.end) return true;
    const entry = this.#moduleAt(signed);
    return entry !== null && areaOf(entry, signed)?.text === true;
  }

  *all(): Iterable<KernelSymbol> {
    const count = this.kallsyms?.names.count ?? 0;
    for (let i = 0; i < count; i++) yield this.#kernelSymbol(i);
    for (const entry of this.#moduleEntries()) {
      const symbols = this.#symbolsOf(entry);
      for (let i = 0; i < symbols.count; i++) yield moduleSymbol(entry, symbols, i);
    }
  }

  #kernelSymbol(i: number): KernelSymbol {
    const { names, addresses } = this.kallsyms as Kallsyms;
    return {
      name: names.name(i),
      address: unsignedAddress(addresses[i] as number),
      type: names.type(i),
      module: null,
    };
  }

  #kernelNamed(name: string): KernelSymbol[] {
    return (this.kallsyms?.names.find(name) ?? []).map((i) => this.#kernelSymbol(i));
  }

  #kernelAt(signed: number): SymbolAt | null {
    const { order } = this.kallsyms as Kallsyms;
    const rank = order.floor(signed);
    if (rank < 0) return null;
    const found = order.addressAt(rank);
    // A symbol of the text does not name what lies behind the text.
    const span = this.#layout().text.find((text) => found >= text.start && found < text.end);
    if (span !== undefined && signed >= span.end) return null;
    const symbol = this.#kernelSymbol(this.#preferred(rank));
    const offset = signed - found;
    return span !== undefined && offset > 0 && MARKER.test(symbol.name) ? null : { symbol, offset };
  }

  /** Number of the symbol to call the address of this rank by. */
  #preferred(rank: number): number {
    const { order, names } = this.kallsyms as Kallsyms;
    const address = order.addressAt(rank);
    let best = order.at(rank);
    let bestRank = aliasRank(names.name(best), names.type(best));
    for (let r = rank - 1; r >= 0 && rank - r < MOST_ALIASES && order.addressAt(r) === address; r--) {
      const i = order.at(r);
      const score = aliasRank(names.name(i), names.type(i));
      // `<=`: of equals the first in the table wins, which is the one the kernel prints.
      if (score <= bestRank) {
        best = i;
        bestRank = score;
      }
    }
    return best;
  }

  #kernelFunction(signed: number, span: Span): FunctionRange | null {
    const { order, names } = this.kallsyms as Kallsyms;
    let rank = order.floor(signed);
    // Data symbols inside the text do not begin a function.
    for (let steps = 0; rank >= 0 && !isTextLetter(names.type(order.at(rank))); rank--) {
      if (++steps > MOST_ALIASES) return null;
    }
    if (rank < 0) return null;
    const start = order.addressAt(rank);
    if (start < span.start) return null;
    let end = span.end;
    for (let r = rank + 1; r < order.length; r++) {
      const next = order.addressAt(r);
      if (next >= span.end) break;
      if (isTextLetter(names.type(order.at(r)))) {
        end = next;
        break;
      }
    }
    const name = names.name(this.#preferred(rank));
    // Behind the end of a section comes padding, at times megabytes of it, and no function.
    if (MARKER.test(name)) return null;
    return { name, module: null, start: unsignedAddress(start), end: unsignedAddress(end) };
  }

  /** Text and image bounds, from the linker script's own symbols. */
  #layout(): { text: Span[]; image: Span | null } {
    if (this.#spans === null) this.#spans = this.#readLayout();
    return this.#spans;
  }

  #readLayout(): { text: Span[]; image: Span | null } {
    const kallsyms = this.kallsyms;
    if (kallsyms === null || kallsyms.order.length === 0) return { text: [], image: null };
    const value = (name: string) => {
      const i = kallsyms.names.find(name).find((n) => (kallsyms.addresses[n] as number) < 0);
      return i === undefined ? null : (kallsyms.addresses[i] as number);
    };
    const first = kallsyms.order.addressAt(0);
    const last = kallsyms.order.addressAt(kallsyms.order.length - 1);
    const text: Span[] = [];
    const start = value("_stext") ?? value("_text") ?? first;
    const end = value("_etext");
    if (end !== null && end > start) text.push({ start, end });
    const initStart = value("_sinittext");
    const initEnd = value("_einittext");
    if (initStart !== null && initEnd !== null && initEnd > initStart) text.push({ start: initStart, end: initEnd });
    // `_end` is a data symbol, known with CONFIG_KALLSYMS_ALL only; what follows the last symbol else is anybody's guess.
    const imageEnd = Math.max(value("_end") ?? last + 1, end ?? 0 - 0x80000000, initEnd ?? 0 - 0x80000000);
    return { text, image: { start: Math.min(value("_text") ?? start, start), end: imageEnd } };
  }

  #moduleEntries(): ModuleEntry[] {
    if (this.#entries !== null) return this.#entries;
    // Finding the types asks for symbols of the kernel, and by mistake maybe for more: modules are none until then.
    if (this.#reading) return [];
    this.#reading = true;
    try {
      this.#entries = this.#readModuleEntries();
    } finally {
      this.#reading = false;
    }
    return this.#entries;
  }

  #readModuleEntries(): ModuleEntry[] {
    const types = typeof this.#types === "function" ? this.#types() : this.#types;
    this.#types = types;
    const head = firstGlobal(this.#kernelNamed("modules"));
    if (types === null || head === null) {
      if (this.kallsyms !== null) {
        const what = types === null ? "no type information" : "no symbol `modules`";
        this.#problems.push(`${what}, so the loaded modules are not known`);
      }
      return [];
    }
    return readModules(this.#space, types, head.address, this.#problems).map((module) => ({
      module,
      areas: module.areas.map(({ start, size, text }) => {
        const signed = signedAddress(start);
        return { start: signed, end: signed + size, text };
      }),
      symbols: null,
    }));
  }

  #symbolsOf(entry: ModuleEntry): ModuleSymbols {
    entry.symbols ??= readModuleSymbols(this.#space, entry.module, this.#problems);
    return entry.symbols;
  }

  #moduleAt(signed: number): ModuleEntry | null {
    // Modules live above the image in the top 2 GiB; nothing else needs the list read.
    if (signed >= 0 || signed < -0x80000000) return null;
    for (const entry of this.#moduleEntries()) if (areaOf(entry, signed) !== null) return entry;
    return null;
  }

  #moduleNamed(entry: ModuleEntry, name: string): KernelSymbol[] {
    const symbols = this.#symbolsOf(entry);
    const found: KernelSymbol[] = [];
    for (let i = 0; i < symbols.count; i++) if (symbols.name(i) === name) found.push(moduleSymbol(entry, symbols, i));
    return found;
  }

  #moduleFunction(entry: ModuleEntry, signed: number, area: Span): FunctionRange | null {
    const symbols = this.#symbolsOf(entry);
    let rank = floorRank(symbols.addresses, signed);
    while (rank >= 0 && !isTextLetter(String.fromCharCode(symbols.types[rank] as number))) rank--;
    if (rank < 0 || (symbols.addresses[rank] as number) < area.start) return null;
    const best = preferredModuleSymbol(symbols, rank, true);
    const start = symbols.addresses[best] as number;
    let end = start + (symbols.sizes[best] as number);
    if (end === start) {
      end = area.end;
      for (let r = rank + 1; r < symbols.count; r++) {
        const next = symbols.addresses[r] as number;
        if (next > start && next < end && isTextLetter(String.fromCharCode(symbols.types[r] as number))) {
          end = next;
          break;
        }
      }
    }
    if (signed >= end) return null;
    return {
      name: symbols.name(best),
      module: entry.module.name,
      start: unsignedAddress(start),
      end: unsignedAddress(Math.min(end, area.end)),
    };
  }
}

function moduleSymbol(entry: ModuleEntry, symbols: ModuleSymbols, i: number): KernelSymbol {
  return {
    name: symbols.name(i),
    address: unsignedAddress(symbols.addresses[i] as number),
    type: String.fromCharCode(symbols.types[i] as number),
    module: entry.module.name,
  };
}

function areaOf(entry: ModuleEntry, signed: number): ModuleArea | null {
  for (const area of entry.areas) if (signed >= area.start && signed < area.end) return area;
  return null;
}

/** Rank of the last address at or below; -1 where all lie above. */
function floorRank(addresses: Float64Array, signed: number): number {
  let low = 0;
  let high = addresses.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((addresses[middle] as number) <= signed) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function preferredModuleSymbol(symbols: ModuleSymbols, rank: number, textOnly: boolean): number {
  const address = symbols.addresses[rank];
  let best = rank;
  let bestRank = Number.POSITIVE_INFINITY;
  for (let r = rank; r >= 0 && rank - r < MOST_ALIASES && symbols.addresses[r] === address; r--) {
    const letter = String.fromCharCode(symbols.types[r] as number);
    if (textOnly && !isTextLetter(letter)) continue;
    const score = aliasRank(symbols.name(r), letter);
    if (score <= bestRank) {
      best = r;
      bestRank = score;
    }
  }
  return best;
}

function isTextLetter(letter: string): boolean {
  return letter === "t" || letter === "T" || letter === "w" || letter === "W" || letter === "i";
}

function firstGlobal(symbols: readonly KernelSymbol[]): KernelSymbol | null {
  return symbols.find((symbol) => symbol.type >= "A" && symbol.type <= "Z") ?? symbols[0] ?? null;
}

/** Marks of the linker script (`_stext`, `__entry_text_end`, `__start_rodata`) that name a place and not a thing. */
const MARKER = /^(_text|_[se](text|inittext|data)|__(start|stop)_.*|__.*_(start|end|begin)|_end|__bss_(start|stop))$/;

/**
 * Which of several names at one address to use; lower is better. With ties left in table order our names are those of the
 * kernel's own traces: it prints the first (kallsyms.c `get_symbol_pos`), and scripts/kallsyms.c `compare_symbols` puts
 * weak names and those with more leading underscores last.
 */
function aliasRank(name: string, type: string): number {
  if (MARKER.test(name)) return 3;
  if (name.startsWith("__pfx_")) return 2;
  return type === "w" || type === "W" ? 1 : 0;
}
