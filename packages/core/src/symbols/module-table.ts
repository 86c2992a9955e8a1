/** Symbols of modules, loaded or placed: by name and by address. Nothing is read of a module before a question needs it. */
import { signedAddress, unsignedAddress } from "./kallsyms-addresses.ts";
import type { ModuleSymbols } from "./module-symbols.ts";
import { aliasRank, firstGlobal, isTextLetter, MOST_ALIASES } from "./preferred-name.ts";
import type { FunctionRange, KernelModule, KernelSymbol, SymbolAt } from "./symbol-table.ts";

export interface ModuleEntry {
  readonly module: KernelModule;
  /** Called once at most. */
  readonly read: () => ModuleSymbols;
}

interface Area {
  /** Signed addresses (kallsyms-addresses.ts). */
  readonly start: number;
  readonly end: number;
  readonly text: boolean;
  readonly module: number;
}

/** Addresses are signed, as in kallsyms-addresses.ts. */
export class ModuleTable {
  readonly modules: readonly KernelModule[];
  readonly #entries: readonly ModuleEntry[];
  readonly #symbols: (ModuleSymbols | undefined)[] = [];
  /** By module: symbol numbers by name, made when the module is first asked for a name. */
  readonly #named: (Map<string, number | number[]> | undefined)[] = [];
  /** By start. */
  readonly #areas: readonly Area[];
  readonly #numbers = new Map<string, number>();

  constructor(entries: readonly ModuleEntry[]) {
    this.#entries = entries;
    this.modules = entries.map((entry) => entry.module);
    const areas: Area[] = [];
    entries.forEach(({ module }, number) => {
      if (!this.#numbers.has(module.name)) this.#numbers.set(module.name, number);
      for (const { start, size, text } of module.areas) {
        const signed = signedAddress(start);
        areas.push({ start: signed, end: signed + size, text, module: number });
      }
    });
    this.#areas = areas.sort((a, b) => a.start - b.start);
  }

  #symbolsOf(module: number): ModuleSymbols {
    let symbols = this.#symbols[module];
    if (symbols === undefined) {
      symbols = (this.#entries[module] as ModuleEntry).read();
      this.#symbols[module] = symbols;
    }
    return symbols;
  }

  #areaAt(address: number): Area | null {
    let low = 0;
    let high = this.#areas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#areas[middle] as Area).start <= address) low = middle + 1;
      else high = middle;
    }
    const area = this.#areas[low - 1];
    return area !== undefined && address < area.end ? area : null;
  }

  #symbol(module: number, i: number): KernelSymbol {
    const symbols = this.#symbolsOf(module);
    return {
      name: symbols.name(i),
      address: unsignedAddress(symbols.addresses[i] as number),
      type: String.fromCharCode(symbols.types[i] as number),
      module: (this.modules[module] as KernelModule).name,
    };
  }

  #namedIn(module: number, name: string): KernelSymbol[] {
    let index = this.#named[module];
    if (index === undefined) {
      const symbols = this.#symbolsOf(module);
      index = new Map();
      for (let i = 0; i < symbols.count; i++) {
        const one = symbols.name(i);
        const known = index.get(one);
        if (known === undefined) index.set(one, i);
        else if (typeof known === "number") index.set(one, [known, i]);
        else known.push(i);
      }
      this.#named[module] = index;
    }
    const found = index.get(name);
    if (found === undefined) return [];
    return (typeof found === "number" ? [found] : found).map((i) => this.#symbol(module, i));
  }

  /** The first global, else the first, of the first module that has one; of the named module alone where one is named. */
  byName(name: string, module?: string): KernelSymbol | null {
    if (module !== undefined) {
      const number = this.#numbers.get(module);
      return number === undefined ? null : firstGlobal(this.#namedIn(number, name));
    }
    for (let number = 0; number < this.#entries.length; number++) {
      const symbol = firstGlobal(this.#namedIn(number, name));
      if (symbol !== null) return symbol;
    }
    return null;
  }

  allByName(name: string): KernelSymbol[] {
    return this.#entries.flatMap((_, module) => this.#namedIn(module, name));
  }

  byAddress(address: number): SymbolAt | null {
    const area = this.#areaAt(address);
    if (area === null) return null;
    const symbols = this.#symbolsOf(area.module);
    const rank = floorRank(symbols.addresses, address);
    if (rank < 0 || (symbols.addresses[rank] as number) < area.start) return null;
    const best = preferred(symbols, rank, false);
    return { symbol: this.#symbol(area.module, best), offset: address - (symbols.addresses[best] as number) };
  }

  functionAt(address: number): FunctionRange | null {
    const area = this.#areaAt(address);
    if (area === null || !area.text) return null;
    const symbols = this.#symbolsOf(area.module);
    let rank = floorRank(symbols.addresses, address);
    while (rank >= 0 && !isText(symbols, rank)) rank--;
    if (rank < 0 || (symbols.addresses[rank] as number) < area.start) return null;
    const best = preferred(symbols, rank, true);
    const start = symbols.addresses[best] as number;
    let end = start + (symbols.sizes[best] as number);
    if (end === start) {
      end = area.end;
      for (let r = rank + 1; r < symbols.count; r++) {
        const next = symbols.addresses[r] as number;
        if (next > start && next < end && isText(symbols, r)) {
          end = next;
          break;
        }
      }
    }
    if (address >= end) return null;
    return {
      name: symbols.name(best),
      module: (this.modules[area.module] as KernelModule).name,
      start: unsignedAddress(start),
      end: unsignedAddress(Math.min(end, area.end)),
    };
  }

  isText(address: number): boolean {
    return this.#areaAt(address)?.text === true;
  }

  *all(): Iterable<KernelSymbol> {
    for (let module = 0; module < this.#entries.length; module++) {
      const { count } = this.#symbolsOf(module);
      for (let i = 0; i < count; i++) yield this.#symbol(module, i);
    }
  }
}

function isText(symbols: ModuleSymbols, i: number): boolean {
  return isTextLetter(String.fromCharCode(symbols.types[i] as number));
}

/** Rank of the last address at or below; -1 where all lie above. */
function floorRank(addresses: Float64Array, address: number): number {
  let low = 0;
  let high = addresses.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((addresses[middle] as number) <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function preferred(symbols: ModuleSymbols, rank: number, textOnly: boolean): number {
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
