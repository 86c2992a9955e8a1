import { describe, expect, test } from "vitest";
import { createBudget } from "../budget.ts";
import { budgetProgram } from "../budget-program.fixture.ts";
import { graphOf, numberOf } from "../call-graph.fixture.ts";
import { BOUND_KINDS, DepthJudge, type SeenFrame, withinBound } from "./observed-depths.ts";

const PROGRAM = budgetProgram();

const GRAPH = graphOf(`
  stub 8: tail work
  work 40: step+32, *ops.get+40
  step 24: leaf+16, panic+16
  get 64: leaf+56, ?hook+64
  hook 16: leaf+24
  kthread 16: strange+16
  strange 8
  panic 8: leaf+8
  again 48: again+48, leaf+16
  {ops.get}: get
  {hook}: hook
`);
/** "function above, …"; a question mark before a function: after frames that could not be told. */
const frames = (text: string): SeenFrame[] =>
  text.split(", ").map((frame) => {
    const [, gap, name = "", above] = /^(\??)(\w+) (\d+)$/.exec(frame) ?? [];
    return { f: numberOf(GRAPH, name), above: Number(above), ...(gap === "?" ? { afterGap: true } : {}) };
  });

function judge(chain: string, fromTop = true) {
  const found = new DepthJudge(createBudget(PROGRAM, GRAPH, { entries: ["stub", "again"] }));
  found.add({ fromTop, frames: frames(chain) });
  return found.seen;
}

/** "function bytes: the first of BOUND_KINDS that it is within". */
function told(chain: string): string[] {
  return judge(chain).depths.map((depth) => {
    const { level, rounds } = BOUND_KINDS[withinBound(depth)] ?? { level: "none", rounds: 0 };
    return `${GRAPH.functions.name[depth.f]} ${depth.bytes}: ${level}${rounds > 0 ? ` +${rounds}` : ""}`;
  });
}

describe("depths below the outermost entry, and the first bound that they are within", () => {
  test.each<[string, string, string[]]>([
    ["direct calls", "stub 0, step 32, leaf 48", ["step 32: direct", "leaf 48: direct"]],
    ["through a slot", "stub 0, get 40, leaf 96", ["get 40: slot-matched", "leaf 96: slot-matched"]],
    ["by a prototype only", "stub 0, get 40, hook 104", ["get 40: slot-matched", "hook 104: prototype-matched"]],
    ["deeper than any way there is", "stub 0, step 33", ["step 33: none"]],
    ["a call that the order cuts", "again 0, again 48", ["again 48: slot-matched +2"]],
    ["not behind a call after which the machine is dying", "stub 0, step 32, panic 48, leaf 56", ["step 32: direct"]],
  ])("%s", (_what, chain, expected) => expect(told(chain)).toEqual(expected));
});

test("an entry that has jumped on is found in what it jumped to", () => {
  expect(told("work 0, step 32")).toEqual(["step 32: direct"]);
  expect(judge("work 24, step 56").bases).toMatchObject([{ bytes: 24, bound: 0 }]);
});

test("what lies above an entry is compared only where the chain begins at the stack's top", () => {
  expect(judge("stub 24, step 56", true).bases).toHaveLength(1);
  expect(judge("stub 24, step 56", false).bases).toEqual([]);
});

test("a chain without an entry is told by how it begins", () => {
  expect([...judge("kthread 8, strange 24").withoutEntry]).toEqual([["kthread strange", 1]]);
});

test("on the way back to user mode, that is where a stack is counted from", () => {
  const graph = graphOf(`
    exc_page_fault 40: irqentry_exit+40, fault+40
    irqentry_exit 8: irqentry_exit_to_user_mode+8
    irqentry_exit_to_user_mode 24: schedule+16
    schedule 80:
    fault 60:
    asm_exc_page_fault 176: exc_page_fault+176
  `);
  const judge = new DepthJudge(createBudget(PROGRAM, graph));
  const on = (text: string) =>
    text.split(", ").map((frame) => {
      const [name = "", above] = frame.split(" ");
      return { f: numberOf(graph, name), above: Number(above) };
    });
  judge.add({ fromTop: true, frames: on("exc_page_fault 168, irqentry_exit_to_user_mode 216, schedule 232") });
  const { depths, bases } = judge.seen;
  expect(depths.map(({ entry, bytes, bounds }) => [graph.functions.name[entry], bytes, bounds[0]])).toEqual([
    ["irqentry_exit_to_user_mode", 16, 16],
  ]);
  expect(bases).toMatchObject([{ bytes: 216, bound: 216 }]);
});

test("calls against the order are counted", () => {
  const again = numberOf(GRAPH, "again");
  expect([...judge("again 0, again 48, again 96").cutCalls]).toEqual([[again, new Map([[again, 2]])]]);
});

test.each([
  ["direct calls", "again 0, leaf 48", [true]],
  ["slots", "work 0, get 40, leaf 96", [true, true]],
  ["a call whose slot is not known, and all behind it", "work 0, get 40, hook 104, leaf 128", [true, false, false]],
  ["a call out of a frame that could not be told, though another one leads there", "work 0, ?step 540", [false]],
])("the way that was seen goes by what the slot-matched level knows: %s", (_what, chain, expected) => {
  expect(judge(chain).depths.map(({ bySlots }) => bySlots)).toEqual(expected);
});
