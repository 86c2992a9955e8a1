import { describe, expect, test } from "vitest";
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

describe("calls that are upcalls", () => {
  // Reclaim allocates again: the way from there takes one upcall of those that a path may take.
  const cyclic = graphOf(`
    start 100: alloc+90
    alloc 64: reclaim+60
    reclaim 40: writeback+30
    writeback 50: alloc+40
  `);
  const callersWith = (rounds: number) =>
    callersOf(createBudget(PROGRAM, cyclic, { entries: ["start"], rounds }), "alloc", "direct");

  test.each([
    [0, ["start 90", "writeback - upcall"]],
    [1, ["writeback 220 upcall", "start 90"]],
    [2, ["writeback 350 upcall", "start 90"]],
  ])("with %i of them on a path", (rounds, expected) => {
    const said = callersWith(rounds).map(({ function: name, inUseBytes, cut }) =>
      [name, inUseBytes ?? "-", ...(cut ? ["upcall"] : [])].join(" "),
    );
    expect(said).toEqual(expected);
  });

  test.each([1, 2, 4])("the fullest stack of all callers is the deepest way to the function: %i", (rounds) => {
    const deepest = createBudget(PROGRAM, cyclic, { entries: ["start"], rounds }).callers("alloc", "direct");
    expect(callersWith(rounds)[0]?.inUseBytes).toBe(deepest.bytes);
  });
});
