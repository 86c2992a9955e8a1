import { expect, test } from "vitest";
import { firstAfter, firstNotBefore } from "./sorted.ts";

test.each([
  // among, value, first not before it, first after it
  [[], 5, 0, 0],
  [[5], 4, 0, 0],
  [[5], 5, 0, 1],
  [[5], 6, 1, 1],
  [[-8, -8, 0, 3], -8, 0, 2],
  [[-8, -8, 0, 3], -1, 2, 2],
  [[-8, -8, 0, 3], 3, 3, 4],
])("among %j, %d", (among, value, notBefore, after) => {
  const ascending = Int32Array.from(among);
  expect(firstNotBefore(ascending, value)).toBe(notBefore);
  expect(firstAfter(ascending, value)).toBe(after);
});
