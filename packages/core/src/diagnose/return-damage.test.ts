import { describe, expect, it } from "vitest";
import { STACK_HIGH, tinyKernel } from "../testing/tiny-kernel.ts";
import { measureReturn } from "./return-damage.ts";

const SLOT = STACK_HIGH - 0x200n;
const WAS = 0xffffffff81000123n;
const A = 0x4141414141414141n;

function measure(found: bigint, above: readonly bigint[], was: bigint | null = WAS, hits: readonly bigint[] = []) {
  const stack = Object.fromEntries(above.map((word, index) => [(SLOT + BigInt(8 * (index + 1))).toString(), word]));
  const { kernel } = tinyKernel({ functions: [], stack });
  const range = kernel.stacks()[0]!;
  const { start, end, pattern } = measureReturn(kernel, range, SLOT, found, was, hits);
  return [Number(start - SLOT), Number(end - SLOT), pattern];
}

describe("the extent of what overwrote a return address", () => {
  it.each<[string, () => unknown[], unknown[]]>([
    ["one byte", () => measure(WAS ^ 0x40000n, [7n]), [2, 3, null]],
    ["one word", () => measure(0x1234567812345678n, [7n]), [0, 8, null]],
    ["the same data above", () => measure(A, [A, A, 0x1122334455667788n]), [0, 24, "the byte 0x41 ('A') repeated"]],
    ["two low bytes, and data above that do not count", () => measure((WAS & ~0xffffn) | 0x4141n, [A]), [0, 2, null]],
    ["nothing known of what was there", () => measure(A, [5n], null), [0, 8, "the byte 0x41 ('A') repeated"]],
    ["zeros: the word alone", () => measure(0n, [0n, 0n]), [0, 8, null]],
    [
      "zeros as far as a return address is known to be gone",
      () => measure(0n, [0n, 0n, 0n], WAS, [SLOT + 16n]),
      [0, 24, "the byte 0x00 repeated"],
    ],
  ])("%s", (_what, measured, expected) => {
    expect(measured()).toEqual(expected);
  });
});
