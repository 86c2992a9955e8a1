import { expect, it } from "vitest";
import { RegionKeeper } from "./keep-region.ts";

const QUIET = "[    1.035770] integrity: Platform Keyring initialized\n";
const CRASH =
  "[   99.000000] BUG: kernel NULL pointer dereference, address: 0000000000000000\n[   99.000001] Oops: 0000 [#1] SMP\n";

function keep(text: string, piece = 1 << 20): string {
  const keeper = new RegionKeeper();
  for (let at = 0; at < text.length; at += piece) keeper.push(text.slice(at, at + piece));
  return keeper.finish();
}

it("keeps a short text as it is, in whatever pieces it comes", () => {
  const text = QUIET.repeat(100) + CRASH;
  expect(keep(text)).toBe(text);
  expect(keep(text, 7)).toBe(text);
  expect(keep("no line end")).toBe("no line end");
  expect(keep("")).toBe("");
});

it("keeps of a long text the crashes and what stands around them", () => {
  const kept = keep(QUIET.repeat(400_000) + CRASH + QUIET.repeat(100_000) + CRASH + QUIET.repeat(10));
  expect(kept.length).toBeLessThan(1 << 20);
  expect(kept.split(CRASH)).toHaveLength(3);
  expect(kept.startsWith(QUIET)).toBe(true);
  expect(kept.endsWith(QUIET)).toBe(true);
});

it("keeps the boot's banner, which says which kernel it is", () => {
  expect(keep(`[    0.000000] Linux version 6.1.0\n${QUIET.repeat(400_000)}${CRASH}`)).toContain("Linux version 6.1.0");
});

it("lets a line without an end go rather than keep it all", () => {
  expect(keep("a".repeat(20 << 20)).length).toBeLessThan(20 << 20);
});
