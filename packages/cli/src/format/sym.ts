import type { KernelSymbol, SourceLocation } from "@spillway/core";
import { hex16 } from "../text/hex.ts";
import { formatLocation } from "./source-line.ts";

/** A line of `sym`: `ffffffffad147120 (T) hrtimer_nanosleep+20 [module] kernel/time/hrtimer.c:2061`. */
export function formatSymbol(symbol: KernelSymbol, offset = 0, source: SourceLocation | null = null): string {
  const module = symbol.module === null ? "" : ` [${symbol.module}]`;
  const plus = offset === 0 ? "" : `+${offset}`;
  return `${hex16(symbol.address + BigInt(offset))} (${symbol.type}) ${symbol.name}${plus}${module}${source === null ? "" : ` ${formatLocation(source)}`}\n`;
}
