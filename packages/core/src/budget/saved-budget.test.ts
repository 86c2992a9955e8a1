import { describe, expect, test } from "vitest";
import { createBudget } from "./budget.ts";
import { budgetJson } from "./budget-json.ts";
import { budgetProgram } from "./budget-program.fixture.ts";
import { graphOf } from "./call-graph.fixture.ts";
import { callersOf } from "./callers.ts";
import { BUDGET_LEVELS } from "./levels.ts";
import { readBudget, readWholeBudget } from "./read-budget.ts";
import { openSavedBudget } from "./saved-budget.ts";
import { MOST_ROUNDS } from "./solve.ts";

const GRAPH = graphOf(`
  do_syscall_64 48: !+40
  __x64_sys_write 24: vfs_write+24
  vfs_write 80: *file_operations.write_iter?iter+72, ?iter+72, die+16
  small_write@smallfs 40:
  large_write@largefs 300: alloc+280, large_write@largefs+280
  alloc 64:
  unrelated 500:
  die 32: panic+24
  panic 900:
  {file_operations.write_iter}: small_write@smallfs large_write@largefs
  {iter}: small_write@smallfs large_write@largefs unrelated
`);
const PROGRAM = budgetProgram({ problems: ["something is missing"] });

const budget = createBudget(PROGRAM, GRAPH);
const json = [...budgetJson(budget)].join("");
const saved = openSavedBudget(readWholeBudget(json));
const [first, ...others] = budget.document().functions;

const [entry] = budget.document().entries;

/** The first call of the first function, damaged; and how it is refused. */
const CALLS: readonly (readonly [string, object])[] = [
  ["kind is none that is known", { kind: "jump" }],
  ["depthKind is none that is known", { depthKind: 0 }],
  ["certainty is none that is known", { certainty: "likely" }],
  ["offset leads out of the kernel", { offset: -0x7fffffff }],
  ["offset is no number of bytes", { offset: 0.5 }],
  ["depthBytes is no number of bytes", { depthBytes: 1e12 }],
  ["depthBytes is no number of bytes", { depthBytes: null }],
  ["set is no number of one", { set: -1 }],
  ["targets are no one function", { certainty: "proven", targets: [] }],
  ["targets are no one function", { certainty: "proven", targets: ["nobody"] }],
];

describe("a budget as JSON, piece by piece", () => {
  test("is the document", () => {
    expect(JSON.parse(json)).toEqual(budget.document());
  });

  test("has each function, set and entry as the document has it", () => {
    const { functions, sets, entries } = budget.document();
    const lines = json.split("\n").map((line) => line.replace(/,$/, ""));
    for (const item of [...functions, ...sets, ...entries]) expect(lines).toContain(JSON.stringify(item));
  });

  test("has a function, a set or an entry on each line", () => {
    const lines = json.split("\n").filter((line) => line.startsWith("{") && line !== "{");
    const { functions, sets, entries, cycles, interrupts } = budget.document();
    const listed = [...functions, ...sets, ...entries, ...cycles, ...interrupts];
    expect(lines).toHaveLength(listed.length);
  });
});

describe("a budget that was kept", () => {
  test("gives the same document again", () => {
    expect(saved.document()).toEqual(budget.document());
  });

  test.each(BUDGET_LEVELS)("answers as the kernel does, %s", (level) => {
    expect(saved.path("__x64_sys_write", level)).toEqual(budget.path("__x64_sys_write", level));
    expect(saved.callers("alloc", level)).toEqual(budget.callers("alloc", level));
    expect(callersOf(saved, "large_write", level)).toEqual(callersOf(budget, "large_write", level));
    expect(saved.top({ by: "depth", level })).toEqual(budget.top({ by: "depth", level }));
  });

  test("can be asked of other entries and rounds", () => {
    const other = { entries: ["vfs_write"], rounds: 1 };
    expect(openSavedBudget(readWholeBudget(json), other).document()).toEqual(
      createBudget(PROGRAM, GRAPH, other).document(),
    );
  });

  test("is refused where its frames add up to more than can be counted", () => {
    const huge = [first, ...others].map((one) => ({ ...one!, frameBytes: 0x7fffffff }));
    const damaged = readWholeBudget(JSON.stringify({ ...budget.document(), functions: huge }));
    expect(() => openSavedBudget(damaged)).toThrow(expect.objectContaining({ code: "SPW_BUDGET_TOO_DEEP" }));
  });

  test("takes no more rounds than are worth their memory", () => {
    expect(openSavedBudget(readWholeBudget(json), { rounds: 1e15 }).summary.rounds).toBe(MOST_ROUNDS);
  });

  test.each([
    ["slotsWhole is not told: it was made by an older Spillway", { slotsWhole: undefined }],
    ["document.sets[0].members[0] is no number of one", { sets: [{ label: "x", members: [99] }] }],
    ["document.functions[0].address is no address", { functions: [{ ...first, address: "?" }, ...others] }],
    ["document.functions[0].calls is no list", { functions: [{ ...first, calls: null }, ...others] }],
    [
      "document.functions[0].address is no address of kernel code",
      { functions: [{ ...first, address: "0x80000000" }, ...others] },
    ],
    ["document.functions[1].id is another function's too", { functions: [first, first, ...others] }],
    [
      "document.functions[0].frameKind is none that is known",
      { functions: [{ ...first, frameKind: "toString" }, ...others] },
    ],
    ["document.entries[0].function is no function's id", { entries: [{ ...entry, function: "nobody" }] }],
    ["document.entries[0].stack is none that is known", { entries: [{ ...entry, stack: "heap" }] }],
    ["document.problems[0] is no text", { problems: [{}] }],
    ...CALLS.map(([what, damage]): [string, object] => [
      `document.functions[0].calls[0].${what}`,
      { functions: [{ ...first, calls: [{ ...first!.calls[0], ...damage }] }, ...others] },
    ]),
  ])("is refused where its graph is damaged: %s", (what, damage) => {
    const text = JSON.stringify({ ...budget.document(), ...damage });
    expect(() => readWholeBudget(text)).toThrow(`this is no budget that Spillway printed: ${what}`);
    if (what.includes("slotsWhole")) expect(readBudget(text).schema).toBe("spillway/budget@1");
  });
});
