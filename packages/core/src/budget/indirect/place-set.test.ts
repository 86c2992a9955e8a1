import { expect, test } from "vitest";
import { OTHERS, PlaceSet } from "./place-set.ts";

test.each([
  ["a register", 3, 1 << 3, 0, true],
  ["a slot", 31, 1 << 31, 0, true],
  ["a later slot", 32, 0, 1, true],
  ["the last with a bit of its own", 62, 0, 1 << 30, true],
  ["all behind that are in the set, and are not known to be", 63, 0, OTHERS, false],
  ["far behind", 1000, 0, OTHERS, false],
])("%s", (_, place, low, high, known) => {
  const set = new PlaceSet();
  set.add(place);
  expect([set.low, set.high, set.has(place)]).toEqual([low, high, known]);
  set.clear();
  expect(set.has(place)).toBe(false);
});
