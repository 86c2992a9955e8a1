/** What is packed and read back is what was decoded: code by hand, and any bytes anywhere. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { CodeColumns } from "../code/code-columns.ts";
import { rowOf } from "../code/compare-decoders.fixture.ts";
import { BlockColumns } from "./indirect/block-columns.ts";
import { CodeBlocks } from "./indirect/code-blocks.ts";
import { type DecodedFunction, functionWords, packFunction, unpackFunction } from "./packed-function.ts";

const TEXT = 0xffffffff81000000n;
/** Written around what is packed: nothing else may be touched. */
const MARK = 0x5a5a5a5a;
const AT = 3;

const bytesOf = (hex: string) => Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16));
const blocks = new CodeBlocks(new Map());
/** Filled again and again. */
const unpacked = { code: new CodeColumns(), blocks: new BlockColumns() };

/** @param runs bytes by the address where they lie */
function decoded(runs: readonly (readonly [bigint, Uint8Array])[]): DecodedFunction {
  const code = new CodeColumns();
  for (const [address, bytes] of runs) code.decode(bytes, address);
  return { code, blocks: blocks.of(code) };
}

function throughWords(decoded: DecodedFunction): DecodedFunction {
  const length = functionWords(decoded);
  const words = new Int32Array(AT + length + 1).fill(MARK);
  packFunction(decoded, words, AT);
  expect([...words.subarray(0, AT), words[AT + length]]).toEqual([MARK, MARK, MARK, MARK]);
  unpackFunction(words, AT, unpacked);
  return unpacked;
}

/** All that can be asked of a function. */
function told({ code, blocks: { count, entry, first, end, edgeStart, edges, loopEnd } }: DecodedFunction) {
  const places = code.runs.flatMap(({ start, end }) =>
    Array.from({ length: end - start + 2 }, (_, at) => start - 1 + at),
  );
  return {
    rows: Array.from({ length: code.count }, (_, at) => rowOf(code, at)),
    wide: [...code.wide],
    followed: Array.from({ length: code.count }, (_, at) => code.followed(at)),
    places: places.map((place) => [code.indexAt(place), code.indexHolding(place), code.holds(place)]),
    entry,
    blocks: Array.from({ length: count }, (_, block) => [
      first[block],
      end[block],
      loopEnd[block],
      [...edges.subarray(edgeStart[block], edgeStart[block + 1])],
    ]),
  };
}

test.each([
  ["", "no instruction at all"],
  ["b8ffffffff c8100005 c3", "a number that is zero-extended, and two in one instruction"],
  ["48b8efcdab8967452301 48a1efcdab8967452381", "a number and an address of 64 bits"],
  ["488d0500000080 e800000080", "what leads out of the top 2 GiB"],
  ["65488b042528000000 410fb64c05ff 488b04cd00000081", "segments, an index, none, a base"],
  ["c4e3714ac240 c4e36948cb40", "four operands, and five"],
  ["06 c3", "no instruction"],
  ["85c0 7404 ffc8 ebf8 c3", "a loop"],
])("%s: %s", (hex, _what) => {
  const one = decoded([[TEXT, bytesOf(hex)]]);
  expect(told(throughWords(one))).toEqual(told(one));
});

test("a function with cold parts, before it and behind it, that is longer than the columns were", () => {
  const parts: readonly (readonly [bigint, Uint8Array])[] = [
    [TEXT, bytesOf("0f84faffffff".repeat(3000))],
    [TEXT - 0x1000n, bytesOf("ffc8 e9f90f0000")],
    [TEXT + 0x100000n, bytesOf("48b8efcdab8967452301 ebf4")],
  ];
  const one = decoded(parts);
  expect(told(throughWords(one))).toEqual(told(one));
});

test("any bytes, at any address", () => {
  const address = fc.constantFrom(TEXT, 0xfffffffffffff000n, 0x7ffff000n, 0xffff888000000000n);
  const run = fc.uint8Array({ minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(address, fc.array(run, { minLength: 1, maxLength: 3 }), (start, runs) => {
      const one = decoded(runs.map((bytes, n) => [start + BigInt(n * 100), bytes]));
      expect(told(throughWords(one))).toEqual(told(one));
    }),
    { numRuns: 300 },
  );
});
