import { describe, expect, test } from "vitest";
import { type BudgetProgram, createBudget } from "./budget.ts";
import type { BudgetDocument } from "./budget-document.ts";
import { graphOf } from "./call-graph.fixture.ts";
import { diffBudgets, judgeBudget, judgeDiff } from "./diff.ts";
import { readBudget } from "./read-budget.ts";

function budgetOf(table: string, release: string): BudgetDocument {
  const program = {
    memory: { u64: () => null },
    symbols: { byName: () => null, byAddress: () => null },
    name: "test",
    release,
    source: "vmlinux",
    threadSize: 16384,
    problems: [],
  } as unknown as BudgetProgram;
  return createBudget(program, graphOf(table), { rounds: 0 }).document();
}

const OLD = budgetOf("__x64_sys_write 40: f+40, g+40\n __x64_sys_read 40: g+40\n f 100: h+90\n g 50:\n h 10:", "6.1.1");
const NEW = budgetOf(
  "__x64_sys_write 40: f+40, g+40\n __x64_sys_open 40: g+40\n f 300: h+290, f+290\n g 50:\n h 4: f+4\n k 7:",
  "6.1.2",
);

describe("two budgets", () => {
  const diff = diffBudgets(OLD, NEW);

  test("entries: grown, new, gone", () => {
    expect(diff.entries.map(({ name, bounds }) => [name, bounds.slotMatched])).toEqual([
      ["__x64_sys_open", { old: null, new: 258, growth: 258 }],
      ["__x64_sys_write", { old: 308, new: 508, growth: 200 }],
      ["__x64_sys_read", { old: 258, new: null, growth: -258 }],
    ]);
  });

  test("the deepest entry", () => {
    const write = { name: "__x64_sys_write", module: null };
    expect(diff.deepest.slotMatched).toEqual({ old: { ...write, bytes: 308 }, new: { ...write, bytes: 508 } });
    expect(diffBudgets({ ...OLD, entries: [] }, NEW).deepest.slotMatched.old).toBeNull();
  });

  test("frames that changed, functions that came and went", () => {
    expect(diff.frames.map(({ name, old, new: now }) => [name, old, now])).toEqual([
      ["f", 100, 300],
      ["h", 10, 4],
    ]);
    expect([diff.added, diff.removed]).toEqual([2, 1]);
  });

  test("new cycles, at each level", () => {
    expect(diff.newCycles.map(({ level, functions }) => [level, functions])).toEqual([
      ["direct", ["f", "h"]],
      ["slot-matched", ["f", "h"]],
      ["prototype-matched", ["f", "h"]],
    ]);
  });

  test("a budget is no different from itself", () => {
    expect(diffBudgets(OLD, OLD)).toMatchObject({ entries: [], frames: [], newCycles: [], added: 0, removed: 0 });
  });

  test.each([
    [{}, false, 1],
    [{ growthBytes: 199 }, false, 1],
    [{ growthBytes: 200 }, true, 0],
    [{ growthBytes: 200, maxBytes: 507 }, false, 1],
    [{ growthBytes: 200, maxBytes: 508 }, true, 0],
  ] as const)("the gate %o", (limit, ok, reasons) => {
    const judged = judgeDiff(diff, limit);
    expect([judged.ok, judged.reasons.length]).toEqual([ok, reasons]);
  });
});

test.each([
  [{}, true],
  [{ maxBytes: 508 }, true],
  [{ maxBytes: 507 }, false],
] as const)("the limit %o", (limit, ok) => {
  expect(judgeBudget(NEW, limit).ok).toBe(ok);
});

test("a limit is not kept where there is nothing to hold to it", () => {
  expect(judgeBudget({ ...NEW, entries: [] }, { maxBytes: 1 << 20 })).toEqual({
    ok: false,
    reasons: ["no entry on a task's stack was found"],
  });
});

describe("a budget read back", () => {
  test("is the one that was printed", () => {
    expect(readBudget(JSON.stringify(OLD))).toEqual(OLD);
  });

  const changed = (change: (document: Record<string, unknown>) => void): string => {
    const document = structuredClone(OLD) as unknown as Record<string, unknown>;
    change(document);
    return JSON.stringify(document);
  };
  test.each<[string, string, RegExp]>([
    ["no JSON", "budget", /no JSON/],
    ["a list", "[]", /no object/],
    [
      "another schema",
      changed((d) => {
        d.schema = "spillway/budget@9";
      }),
      /schema is "spillway\/budget@9"/,
    ],
    ["no schema", "{}", /schema is not told/],
    [
      "a frame that is no number",
      changed((d) => {
        (d.functions as { frameBytes: unknown }[])[0]!.frameBytes = "8";
      }),
      /functions\[0\]\.frameBytes/,
    ],
    [
      "a negative bound",
      changed((d) => {
        (d.entries as { bounds: unknown }[])[0]!.bounds = { direct: -1 };
      }),
      /entries\[0\]\.bounds\.direct/,
    ],
    [
      "no entries",
      changed((d) => {
        delete d.entries;
      }),
      /entries is no list/,
    ],
  ])("%s is refused", (_, json, message) => {
    expect(() => readBudget(json)).toThrow(
      expect.objectContaining({ code: "SPW_BUDGET_INVALID", message: expect.stringMatching(message) }),
    );
  });
});
