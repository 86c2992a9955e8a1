import { type Kernel, type KernelSymbol, type SourceLocation, SpillwayError, type SymbolTable } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatSymbol } from "../format/sym.ts";
import { toJson } from "../json.ts";
import { resolveLocation } from "../location.ts";
import { type DumpOptions, dumpCommand, openOne } from "./dump-command.ts";

interface SymOptions extends DumpOptions {
  readonly l?: boolean;
  readonly m?: string;
  readonly q?: string;
}

interface FoundSymbol extends KernelSymbol {
  readonly offset: number;
  /** Only with debug information, and only for symbols that were named. */
  readonly source?: SourceLocation | null;
}

/** Lines are gathered to pieces of this size: one write a symbol is slow, all 200,000 in one string wasteful. */
const PIECE = 65_536;

function* listed(symbols: SymbolTable, options: SymOptions): Iterable<FoundSymbol> {
  for (const symbol of symbols.all()) {
    if (options.m !== undefined && symbol.module !== options.m) continue;
    if (options.q !== undefined && !symbol.name.includes(options.q)) continue;
    yield { ...symbol, offset: 0 };
  }
}

function named(symbols: SymbolTable, names: readonly string[]): FoundSymbol[] {
  return names.flatMap((name) => {
    const all = symbols.allByName(name);
    if (all.length > 0) return all.map((symbol) => ({ ...symbol, offset: 0 }));
    const at = symbols.byAddress(resolveLocation(name, symbols).address);
    if (at !== null) return [{ ...at.symbol, offset: at.offset }];
    throw new SpillwayError("SPW_SYMBOL_UNKNOWN", `no symbol covers ${name}`, {
      class: "missing",
      facts: { name },
      hint: "the address lies outside the kernel and its modules",
    });
  });
}

/** A symbol of code with its line: where a function is defined, or the line of the address within it. */
function withSource(kernel: Kernel, symbol: FoundSymbol): FoundSymbol {
  if (kernel.debugInfo === null || !"tTwW".includes(symbol.type)) return symbol;
  const frames = kernel.debugInfo.framesAt(symbol.address + BigInt(symbol.offset));
  const source = (symbol.offset === 0 ? frames.at(-1)?.declared : null) ?? frames[0]?.location ?? null;
  return { ...symbol, source };
}

export function registerSym(program: Command, context: Context): void {
  dumpCommand(program, {
    name: "sym",
    usesDebugInfo: true,
    summary: "symbols: by name, by address, by part of a name",
    examples: [
      ["sym vmcore vfs_write", "address of a symbol"],
      ["sym vmcore ffffffffad34d497", "the symbol at an address"],
      ["sym vmcore -q nanosleep", "symbols whose name contains a string"],
      ["sym vmcore -m ext4", "the symbols of a module"],
      ["sym vmcore -l > System.map", "all of them"],
    ],
  })
    .argument("<file>", "the dump")
    .argument("[symbol...]", "names, addresses (hexadecimal), NAME+OFFSET")
    .option("-l", "list all symbols")
    .option("-m <module>", "list the symbols of a module")
    .option("-q <part>", "list the symbols whose name contains a string")
    .action((file: string, names: string[], options: SymOptions) => {
      const listing = options.l === true || options.m !== undefined || options.q !== undefined;
      if (listing === names.length > 0) {
        const message = listing ? "-l, -m and -q take no symbol names" : "which symbol?";
        throw new SpillwayError("SPW_USAGE", message, {
          class: "usage",
          hint: "name symbols or addresses, or list them with -l, -m MODULE or -q PART",
        });
      }
      const { kernel } = openOne(context, file, options);
      const { symbols } = kernel;
      const found = listing
        ? listed(symbols, options)
        : named(symbols, names).map((symbol) => withSource(kernel, symbol));
      if (options.json) {
        context.terminal.write(toJson([...found]));
        return;
      }
      let piece = "";
      let any = false;
      for (const symbol of found) {
        any = true;
        piece += formatSymbol(symbol, symbol.offset, symbol.source);
        if (piece.length > PIECE) {
          context.terminal.write(piece);
          piece = "";
        }
      }
      context.terminal.write(piece);
      if (!any) {
        throw new SpillwayError("SPW_SYMBOL_UNKNOWN", "no symbol in this dump is like that", { class: "missing" });
      }
    });
}
