import { expect, test } from "vitest";
import { atLevel, type BudgetLevel, lazyByLevel } from "./levels.ts";

test("values of levels that are asked for are made, each once", () => {
  const made: BudgetLevel[] = [];
  const values = lazyByLevel((level) => {
    made.push(level);
    return level.length;
  });
  expect(made).toEqual([]);
  expect([values.slotMatched, atLevel(values, "slot-matched"), atLevel(values, "direct")]).toEqual([12, 12, 6]);
  expect(made).toEqual(["slot-matched", "direct"]);
});
