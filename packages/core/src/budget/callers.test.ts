import { expect, test } from "vitest";
import { createBudget } from "./budget.ts";
import { budgetProgram } from "./budget-program.fixture.ts";
import { graphOf } from "./call-graph.fixture.ts";
import { callersOf } from "./callers.ts";
import type { BudgetLevel } from "./levels.ts";

const PROGRAM = budgetProgram();

const GRAPH = graphOf(`
  deep 200: alloc+180
  shallow 40: alloc+24, alloc+32
  through 60: *ops.get?get+48
  guess 60: ?get+50
  unreached 500: alloc+480
  alloc 64:
  {ops.get}: alloc
  {get}: alloc shallow
  start 100: deep+90, shallow+90, through+80, guess+80
`);
const budget = createBudget(PROGRAM, GRAPH, { entries: ["start"] });

/** "caller bytes-in-use certainty slot" for each call. */
function told(level: BudgetLevel): string[] {
  return callersOf(budget, "alloc", level).map((caller) =>
    [caller.function, caller.inUseBytes ?? "-", caller.certainty, caller.slot ?? ""].join(" ").trim(),
  );
}

test.each<[BudgetLevel, string[]]>([
  ["direct", ["deep 270 proven", "shallow 122 proven", "shallow 114 proven", "unreached - proven"]],
  [
    "slot-matched",
    ["deep 270 proven", "through 128 typed ops.get", "shallow 122 proven", "shallow 114 proven", "unreached - proven"],
  ],
  [
    "prototype-matched",
    [
      "deep 270 proven",
      // shallow is called by guess too, on a fuller stack: 80 + 50 bytes.
      "shallow 162 proven",
      "shallow 154 proven",
      "guess 130 assumed get",
      "through 128 typed ops.get",
      "unreached - proven",
    ],
  ],
])("who calls at the %s level, the fullest stack first", (level, expected) => {
  expect(told(level)).toEqual(expected);
});
