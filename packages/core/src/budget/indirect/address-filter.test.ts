import { expect, test } from "vitest";
import { AddressFilter } from "./address-filter.ts";

const ENTRY = -0x7f000000;
const SIZE = 64;
const entries = Array.from({ length: 60_000 }, (_, n) => ENTRY + n * SIZE);

test("knows all that were added, and takes few others for them", () => {
  const filter = new AddressFilter();
  for (const entry of entries) filter.add(entry);
  expect(entries.every((entry) => filter.mayHave(entry))).toBe(true);
  const others = entries.map((entry) => entry + 5).filter((address) => filter.mayHave(address));
  expect(others.length).toBeLessThan(entries.length / 10);
});

test("nothing was added: has nothing", () => {
  const filter = new AddressFilter();
  expect(entries.some((entry) => filter.mayHave(entry))).toBe(false);
});
