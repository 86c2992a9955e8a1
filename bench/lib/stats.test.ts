import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median, summarise } from "./stats.ts";

describe("median", () => {
  it.each([
    [[3], 3],
    [[1, 2], 1.5],
    [[9, 1, 5], 5],
    [[10, 9, 2, 100], 9.5],
    [[2, 2, 2, 1], 2],
  ])("of %j is %d", (values, expected) => expect(median(values)).toBe(expected));

  it("has as many values on one side as on the other", () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const m = median(values);
        const below = values.filter((v) => v < m).length;
        const above = values.filter((v) => v > m).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  it("does not disturb the order of its input", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it("refuses an empty set", () => expect(() => median([])).toThrow(RangeError));
});

describe("summarise", () => {
  it("keeps the runs in their order", () =>
    expect(summarise([4, 1, 3])).toEqual({ min: 1, median: 3, max: 4, values: [4, 1, 3] }));
});
