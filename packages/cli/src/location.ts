import { type KernelSymbol, SpillwayError, type SymbolTable } from "@spillway/core";

/** An address that a person named on the command line. */
export interface Location {
  readonly address: bigint;
  /** Set where a symbol was named without an offset: the person means the whole of it. */
  readonly symbol: KernelSymbol | null;
}

const MAX_ADDRESS = 0xffff_ffff_ffff_ffffn;

/** Hexadecimal with or without 0x, as crash takes addresses; null for anything else. */
export function parseAddress(text: string): bigint | null {
  return /^(0x)?[0-9a-f]{1,16}$/i.test(text) ? BigInt(text.startsWith("0x") ? text : `0x${text}`) : null;
}

/**
 * Resolves `SYMBOL`, `SYMBOL+OFFSET`, `SYMBOL-OFFSET` (decimal, or hexadecimal with 0x) or a hexadecimal address. A symbol
 * wins over an address that looks the same, as in crash.
 * @throws SpillwayError `SPW_SYMBOL_UNKNOWN`
 */
export function resolveLocation(text: string, symbols: SymbolTable): Location {
  const exact = symbols.byName(text);
  if (exact !== null) return { address: exact.address, symbol: exact };
  const address = parseAddress(text);
  if (address !== null) return { address, symbol: null };
  const sum = /^(.+?)([+-])(0x[0-9a-f]+|\d+)$/i.exec(text);
  if (sum) {
    const base = symbols.byName(sum[1]!)?.address ?? parseAddress(sum[1]!);
    if (base !== null) {
      const offset = BigInt(sum[3]!);
      return { address: (sum[2] === "+" ? base + offset : base - offset) & MAX_ADDRESS, symbol: null };
    }
  }
  throw new SpillwayError("SPW_SYMBOL_UNKNOWN", `no symbol named "${text}" in this dump`, {
    class: "missing",
    facts: { name: text },
    hint: "spillway sym FILE -q PART lists the symbols whose name contains PART",
  });
}

/**
 * Reads a count: decimal, or hexadecimal with 0x.
 * @throws SpillwayError `SPW_USAGE` where it is none, or not between 1 and `max`
 */
export function parseCount(text: string, max: number): number {
  const count = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 1 && count <= max)) {
    throw new SpillwayError("SPW_USAGE", `"${text}" is no count between 1 and ${max}`, { class: "usage" });
  }
  return count;
}

/** `name+12`, `name`, with ` [module]` where it lies in one: how crash names an address. Null outside all symbols. */
export function nameOf(address: bigint, symbols: SymbolTable, withModule = false): string | null {
  const at = symbols.byAddress(address);
  if (at === null) return null;
  const name = at.offset === 0 ? at.symbol.name : `${at.symbol.name}+${at.offset}`;
  return withModule && at.symbol.module !== null ? `${name} [${at.symbol.module}]` : name;
}
