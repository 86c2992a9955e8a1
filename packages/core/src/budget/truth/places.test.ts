import { expect, test } from "vitest";
import type { KernelSymbol, SymbolTable } from "../../symbols/symbol-table.ts";
import { placing } from "./places.ts";

/** Lines "address name [module]". */
function symbols(text: string): SymbolTable {
  const all: KernelSymbol[] = text
    .trim()
    .split("\n")
    .map((line) => {
      const [address = "", name = "", module = null] = line.trim().split(" ");
      return { address: BigInt(`0x${address}`), name, module, type: "t" };
    });
  const byAddress = (address: bigint) => {
    const symbol = all.findLast((one) => one.address <= address);
    return symbol === undefined ? null : { symbol, offset: Number(address - symbol.address) };
  };
  const byName = (name: string) => all.find((one) => one.name === name) ?? null;
  return { all: () => all, byAddress, byName } as unknown as SymbolTable;
}

const ran = symbols(`
  ffffffff9b000000 _stext
  ffffffff9b000100 write
  ffffffffc0100000 init a
  ffffffffc0100040 open a
  ffffffffc0100080 init a
  ffffffffc0200000 gone b
`);
const graphed = symbols(`
  ffffffff81000000 _stext
  ffffffff81000100 write
  ffffffffc0000000 open a
  ffffffffc0000050 init a
  ffffffffc0000090 init a
`);

test.each<[string, bigint, string | null]>([
  ["the kernel is moved as a whole", 0xffffffff9b000108n, "ffffffff81000108"],
  ["a module's functions are found by name", 0xffffffffc0100044n, "ffffffffc0000004"],
  ["of functions by one name, the first", 0xffffffffc0100004n, "ffffffffc0000054"],
  ["and the second", 0xffffffffc0100084n, "ffffffffc0000094"],
  ["what the graph does not have is nowhere", 0xffffffffc0200004n, null],
  ["neither is what is no code", 0x1000n, null],
])("%s", (_what, address, expected) => {
  const place = placing(ran, graphed)(address);
  expect(place === null ? null : BigInt.asUintN(64, BigInt(place)).toString(16)).toBe(expected);
});
