import type { AddressSpace } from "../memory/address-space.ts";
import { mappedKernelRanges } from "../memory/kernel-image.ts";
import { PagedAddressSpace } from "../memory/paged-address-space.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import { type ImageSymbols, type KallsymsLocations, kallsymsFromVmcoreinfo, openKallsyms } from "./kallsyms.ts";
import { signedAddress, unsignedAddress } from "./kallsyms-addresses.ts";
import { findKallsyms } from "./kallsyms-find.ts";
import { readModules } from "./module-list.ts";
import { readModuleSymbols } from "./module-symbols.ts";
import { ModuleTable } from "./module-table.ts";
import { aliasRank, firstGlobal, isTextLetter, MOST_ALIASES, TEXT_MARKER } from "./preferred-name.ts";
import type { FunctionRange, KernelModule, KernelSymbol, SymbolAt, SymbolTable } from "./symbol-table.ts";
import { type Vmcoreinfo, vmcoreSymbol } from "./vmcoreinfo.ts";

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

export class KernelSymbols implements SymbolTable {
  /** Null where the kernel's own symbols could not be found. */
  readonly kallsyms: ImageSymbols | null;
  readonly #space: AddressSpace;
  #types: TypeProvider | null | (() => TypeProvider | null);
  #modules: ModuleTable | null = null;
  #reading = false;
  #spans: { text: Span[]; image: Span | null } | null = null;
  readonly #problems: string[] = [];

  constructor(
    space: AddressSpace,
    kallsyms: ImageSymbols | null,
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
    return this.#moduleTable().modules;
  }

  byName(name: string, module?: string | null): KernelSymbol | null {
    if (module === undefined || module === null) {
      const symbol = firstGlobal(this.#kernelNamed(name));
      if (symbol !== null || module === null) return symbol;
    }
    return this.#moduleTable().byName(name, module);
  }

  allByName(name: string): readonly KernelSymbol[] {
    return [...this.#kernelNamed(name), ...this.#moduleTable().allByName(name)];
  }

  byAddress(address: bigint): SymbolAt | null {
    const signed = signedAddress(address);
    const image = this.#layout().image;
    if (image !== null && signed >= image.start && signed < image.end) return this.#kernelAt(signed);
    return couldBeModule(signed) ? this.#moduleTable().byAddress(signed) : null;
  }

  functionAt(address: bigint): FunctionRange | null {
    const signed = signedAddress(address);
    const span = this.#textAt(signed);
    if (span !== null) return this.#kernelFunction(signed, span);
    return couldBeModule(signed) ? this.#moduleTable().functionAt(signed) : null;
  }

  isText(address: bigint): boolean {
    const signed = signedAddress(address);
    if (signed >= 0) return false;
    return this.#textAt(signed) !== null || (couldBeModule(signed) && this.#moduleTable().isText(signed));
  }

  #textAt(signed: number): Span | null {
    for (const span of this.#layout().text) if (signed >= span.start && signed < span.end) return span;
    return null;
  }

  *all(): Iterable<KernelSymbol> {
    const count = this.kallsyms?.names.count ?? 0;
    this.kallsyms?.names.nameAll();
    for (let i = 0; i < count; i++) yield this.#kernelSymbol(i);
    yield* this.#moduleTable().all();
  }

  #kernelSymbol(i: number): KernelSymbol {
    const { names, addresses } = this.kallsyms as ImageSymbols;
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
    const { order } = this.kallsyms as ImageSymbols;
    const rank = order.floor(signed);
    if (rank < 0) return null;
    const found = order.addressAt(rank);
    // A symbol of the text does not name what lies behind the text.
    const span = this.#textAt(found);
    if (span !== null && signed >= span.end) return null;
    const symbol = this.#kernelSymbol(this.#preferred(rank));
    const offset = signed - found;
    return span !== null && offset > 0 && TEXT_MARKER.test(symbol.name) ? null : { symbol, offset };
  }

  /** Number of the symbol to call the address of this rank by. */
  #preferred(rank: number): number {
    const { order, names } = this.kallsyms as ImageSymbols;
    const address = order.addressAt(rank);
    let best = order.at(rank);
    // Most have one name.
    if (rank === 0 || order.addressAt(rank - 1) !== address) return best;
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
    const { order, names } = this.kallsyms as ImageSymbols;
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
    if (TEXT_MARKER.test(name)) return null;
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

  #moduleTable(): ModuleTable {
    if (this.#modules !== null) return this.#modules;
    // Finding the types asks for symbols of the kernel, and by mistake maybe for more: modules are none until then.
    if (this.#reading) return NO_MODULES;
    this.#reading = true;
    try {
      this.#modules = this.#readModules();
    } finally {
      this.#reading = false;
    }
    return this.#modules;
  }

  #readModules(): ModuleTable {
    const types = typeof this.#types === "function" ? this.#types() : this.#types;
    this.#types = types;
    const head = firstGlobal(this.#kernelNamed("modules"));
    if (types === null || head === null) {
      if (this.kallsyms !== null) {
        const what = types === null ? "no type information" : "no symbol `modules`";
        this.#problems.push(`${what}, so the loaded modules are not known`);
      }
      return NO_MODULES;
    }
    return new ModuleTable(
      readModules(this.#space, types, head.address, this.#problems).map((module) => ({
        module,
        read: () => readModuleSymbols(this.#space, module, this.#problems),
      })),
    );
  }
}

const NO_MODULES = new ModuleTable([]);

/** Modules live above the image in the top 2 GiB; nothing else needs their list read. */
function couldBeModule(signed: number): boolean {
  return signed < 0 && signed >= -0x80000000;
}
