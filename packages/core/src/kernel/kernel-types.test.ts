import { expect, test } from "vitest";
import { SegmentSpace } from "../program/segment-space.ts";
import { BtfBuilder } from "../types/btf.fixture.ts";
import { openKernelTypes } from "./kernel-types.ts";

const START = 0xffffffff82000000n;

const btf = new BtfBuilder();
const int = btf.int("int", 4, true);
btf.struct("first", 8, [["x", int, 0]]);
const second = btf.nextId;
btf.struct("second", 8, [["x", int, 0]]);
const sound = btf.bytes();
/** Header of 24 bytes, an int of 16, a struct of 24; the kind is the last byte of the second word. */
const SECOND_KIND = 24 + 16 + 24 + 7;

function changed(...changes: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = sound.slice();
  for (const [at, value] of changes) bytes[at] = value;
  return bytes;
}

function opened(bytes: Uint8Array | null) {
  const problems: string[] = [];
  const places = new Map([
    ["__start_BTF", START],
    ["__stop_BTF", START + BigInt(bytes?.length ?? 0)],
  ]);
  const types = openKernelTypes({
    memory: new SegmentSpace(bytes === null ? [] : [{ start: START, bytes }]),
    symbols: {
      byName: (name: string) => ({ name, address: places.get(name)!, type: "d", module: null }),
    } as unknown as Parameters<typeof openKernelTypes>[0]["symbols"],
    vmcoreinfo: new Map(),
    problem: (text) => problems.push(text),
  });
  return { structs: ["first", "second"].filter((name) => types.sizeOf(name) !== null), problems };
}

const CUT = [
  expect.stringMatching(/^the kernel's type information \(BTF\) is damaged: \d+ % of it, its end, cannot be read$/),
];

test.each([
  ["sound types", sound, ["first", "second"], []],
  ["no types", null, [], ["the kernel has no type information (BTF)"]],
  ["no header", changed([0, 0]), [], ["the type information (BTF) has no valid header"]],
  ["a record of no known kind", changed([SECOND_KIND, 99]), ["first"], CUT],
  ["a record that is longer than all", changed([SECOND_KIND - 3, 0xff], [SECOND_KIND - 2, 0xff]), ["first"], CUT],
])("%s", (_, bytes, structs, problems) => {
  expect(second).toBe(3);
  expect(opened(bytes)).toEqual({ structs, problems });
});
