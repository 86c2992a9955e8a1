import { expect, test } from "vitest";
import { withoutPadding } from "./padding.ts";

const padded = (code: readonly number[], padding: number) => Uint8Array.from([...code, ...Array(padding).fill(0xcc)]);

test.each<[string, Uint8Array, number]>([
  ["code without any", Uint8Array.of(0x90, 0xc3), 2],
  ["what alignment leaves", padded([0xc3], 63), 64],
  ["a page of it", padded([0xc3], 4096), 65],
  ["nothing but padding", padded([], 4096), 64],
  ["int3 before code", Uint8Array.from([...padded([], 100), 0xc3]), 101],
  ["nothing", new Uint8Array(0), 0],
])("%s", (_what, bytes, length) => {
  expect(withoutPadding(bytes)).toEqual(bytes.subarray(0, length));
});
