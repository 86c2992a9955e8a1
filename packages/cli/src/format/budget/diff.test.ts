/** What `budget diff` tells people. */
import type { BudgetDiff, EntryChange } from "@spillway/core";
import { expect, test } from "vitest";
import { recorder } from "../../testing/recorder.ts";
import { formatDiff } from "./diff.ts";

const kernel = (release: string) => ({ release, name: release }) as BudgetDiff["old"];

function entry(name: string, old: number | null, now: number | null): EntryChange {
  const change = { old, new: now, growth: (now ?? 0) - (old ?? 0) };
  const bounds = { direct: change, slotMatched: change, prototypeMatched: change };
  return { name, kind: "file-operation", module: null, bounds };
}

function said(changes: Partial<BudgetDiff>, limit = 3): string[] {
  const diff = {
    schema: "spillway/budget-diff@1",
    entries: [],
    frames: [],
    added: 0,
    removed: 0,
    newCycles: [],
  } as const;
  const all = { ...diff, old: kernel("6.1"), new: kernel("6.12"), ...changes };
  return formatDiff(all, { limit, level: "slot-matched" }, recorder())
    .split("\n")
    .filter((line) => line !== "");
}

test("two kernels that are alike", () => {
  expect(said({})).toEqual([
    "From 6.1 to 6.12",
    "  0 functions new, 0 gone",
    "No bound, no frame and no cycle has changed.",
  ]);
});

test("what grew and what shrank comes first; what is new, however deep, has not grown", () => {
  const entries = [
    entry("deep_and_new", null, 12_000),
    entry("grown", 1000, 1400),
    entry("grown_less", 1000, 1100),
    entry("same", 500, 500),
    entry("shrunk", 1000, 900),
    entry("shrunk_more", 1000, 200),
    entry("gone", 700, null),
  ];
  expect(said({ entries })).toEqual([
    "From 6.1 to 6.12",
    "  0 functions new, 0 gone",
    "4 entries of another bound, slot-matched",
    "  +400  1,000 → 1,400  grown        file operation",
    "  +100  1,000 → 1,100  grown_less   file operation",
    "  -800  1,000 → 200    shrunk_more  file operation",
    "1 new entry",
    "  12,000  deep_and_new  file operation",
    "1 entry gone",
  ]);
});

test("frames, and recursion that is new", () => {
  const frames = [{ name: "f", module: null, old: 80, new: 1200, growth: 1120 }];
  const newCycles = [{ level: "slot-matched" as const, functions: ["f", "g"], roundBytes: 152 }];
  expect(said({ frames, newCycles, added: 2 })).toEqual([
    "From 6.1 to 6.12",
    "  2 functions new, 0 gone",
    "1 frame of another size",
    "  +1,120  80 → 1,200  f",
    "1 cycle with functions that were in none before",
    "  152 bytes a round  f, g",
  ]);
});
