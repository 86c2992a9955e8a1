/**
 * Where code that ran at one place lies in a graph whose program was placed elsewhere: KASLR moves the kernel, and modules
 * go where there is room. Functions are found again by their names, which both tell.
 */
import type { Program } from "../../program/program.ts";
import type { SymbolTable } from "../../symbols/symbol-table.ts";
import { fullAddress, low32 } from "../function-table.ts";

/** The place in the graph (low 32 bits, signed) of an address that ran; null where the graph's program has no such code. */
export type Placing = (address: bigint) => number | null;

/** For a graph of the very memory that is looked at. */
export const samePlace: Placing = low32;

/** Addresses of the symbols of each module, by name, ascending: static functions may share one. */
function moduleSymbols(symbols: SymbolTable): Map<string, bigint[]> {
  const found = new Map<string, bigint[]>();
  for (const { name, module, address } of symbols.all()) {
    if (module === null) continue;
    const key = `${module} ${name}`;
    const same = found.get(key);
    if (same === undefined) found.set(key, [address]);
    else if (!same.includes(address)) same.push(address);
  }
  for (const addresses of found.values()) addresses.sort((a, b) => (a < b ? -1 : 1));
  return found;
}

/** @param ran where the code was when it was seen; @param graphed where it is in the graph */
export function placing(ran: SymbolTable, graphed: SymbolTable): Placing {
  const [there, here] = [ran.byName("_stext", null), graphed.byName("_stext", null)];
  const slide = there === null || here === null ? null : here.address - there.address;
  const before = moduleSymbols(ran);
  const after = moduleSymbols(graphed);
  return (address) => {
    const found = ran.byAddress(address);
    if (found === null) return null;
    const { symbol, offset } = found;
    if (symbol.module === null) return slide === null ? null : low32(address + slide);
    const key = `${symbol.module} ${symbol.name}`;
    const [old, now] = [before.get(key) ?? [], after.get(key) ?? []];
    const place = old.length === now.length ? now[old.indexOf(symbol.address)] : undefined;
    return place === undefined ? null : low32(place) + offset;
  };
}

/** Whether code of the program's graph is at an address; what runs at start-up only is not. */
export function textTest(program: Pick<Program, "text">): (at: number) => boolean {
  const areas = program.text.filter((area) => !area.init);
  return (at) => {
    const address = fullAddress(at);
    return areas.some((area) => address >= area.start && address < area.end);
  };
}
