import { describe, expect, it } from "vitest";
import { tinyKernel } from "../../testing/tiny-kernel.ts";
import { scanForPointers } from "./pointer-scan.ts";

const AT = 0xffffffffc0000000n;
const LOW = 0xffffc90000012100n;
const HIGH = 0xffffc90000012200n;

function scan(words: readonly bigint[], size = words.length * 8) {
  const { kernel } = tinyKernel({ functions: [], data: [{ name: "data", address: AT, words }] });
  const found: bigint[] = [];
  scanForPointers(kernel.memory, AT, size, LOW, HIGH, found);
  return found.map((address) => Number(address - AT) / 8);
}

describe("words that point into a range", () => {
  it.each<[string, bigint[], number[]]>([
    ["its first byte, its last, and none beside", [LOW - 1n, LOW, HIGH - 1n, HIGH], [1, 2]],
    ["the same low half with another high half", [LOW & 0xffffffffn, LOW, LOW + (1n << 32n)], [1]],
    ["nothing", [0n, 0xffffffffffffffffn], []],
  ])("%s", (_what, words, expected) => {
    expect(scan(words)).toEqual(expected);
  });

  it("does not look at words across each other, nor at half a word at the end", () => {
    expect(scan([LOW << 32n, LOW >> 32n, LOW], 20)).toEqual([]);
  });

  it("takes memory that is not there for empty", () => {
    expect(scan([LOW], 4096)).toEqual([0]);
  });
});
