import { expect, test } from "vitest";
import { createBudget } from "./budget.ts";
import { budgetProgram } from "./budget-program.fixture.ts";
import { graphOf } from "./call-graph.fixture.ts";
import { entriesThrough } from "./entries-through.ts";
import type { BudgetLevel } from "./levels.ts";

// Through a slot of which each operation is one way, by a guess, round a cycle, and not at all.
const graph = graphOf(`
  direct 100: alloc+90
  around 100: alloc+90, deeper+90
  deeper 900:
  by_slot 100: *ops.get+80
  by_guess 100: ?hook+90
  cyclic 100: ping+90
  ping 40: pong+30
  pong 40: ping+30, alloc+30
  other 5000: deeper+4000
  getter 50: alloc+40
  hooked 50: alloc+40
  alloc 64: leaf+56
  leaf 100:
  {ops.get}: getter deeper
  {hook}: hooked
`);
const entries = ["direct", "around", "by_slot", "by_guess", "cyclic", "other", "alloc", "leaf"];
const budget = createBudget(budgetProgram(), graph, { entries });

// cyclic: 90, five times 30 + 30, and alloc: four upcalls.
const DEEPEST = ["cyclic 546", "direct 246", "alloc 156"];

test.each<[BudgetLevel, string[], string[]]>([
  ["direct", DEEPEST, ["around 990"]],
  ["slot-matched", DEEPEST, ["around 990", "by_slot 980"]],
  ["prototype-matched", ["cyclic 546", "by_guess 286", "direct 246", "alloc 156"], ["around 990", "by_slot 980"]],
])(
  "at the %s level: those whose deepest path goes through it, then those that lead to it otherwise",
  (level, on, off) => {
    const found = entriesThrough(budget, "alloc", level);
    const told = (onDeepestPath: boolean) =>
      found.filter((one) => one.onDeepestPath === onDeepestPath).map((one) => `${one.entry} ${one.boundBytes}`);
    expect(told(true)).toEqual(on);
    expect(told(false)).toEqual(off);
    expect(found.slice(0, on.length).every(({ onDeepestPath }) => onDeepestPath)).toBe(true);
  },
);
