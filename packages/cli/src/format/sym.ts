import type { KernelSymbol } from "@spillway/core";
import { hex16 } from "../text/hex.ts";

/** A line of `sym`: `ffffffffad147120 (T) hrtimer_nanosleep+20 [module]`. */
export function formatSymbol(symbol: KernelSymbol, offset = 0): string {
  const module = symbol.module === null ? "" : ` [${symbol.module}]`;
  const plus = offset === 0 ? "" : `+${offset}`;
  return `${hex16(symbol.address + BigInt(offset))} (${symbol.type}) ${symbol.name}${plus}${module}\n`;
}
