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
  const one = { name: "deepest", module: null, bytes: 9000 };
  const same = { old: one, new: one };
  const diff = {
    schema: "spillway/budget-diff@1",
    deepest: { direct: same, slotMatched: same, prototypeMatched: same },
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
    "  the deepest on a task's stack: 9,000 (deepest), slot-matched",
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
    "  the deepest on a task's stack: 9,000 (deepest), slot-matched",
    "4 entries of another bound, slot-matched: 2 grown, 2 shrunk",
    "  +400  1,000 → 1,400  grown        file operation",
    "  +100  1,000 → 1,100  grown_less   file operation",
    "     …",
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
    "  the deepest on a task's stack: 9,000 (deepest), slot-matched",
    "No entry is of another bound, slot-matched",
    "1 frame of another size",
    "  +1,120  80 → 1,200  f",
    "1 cycle with functions that were in none before",
    "  152 bytes a round  f, g",
  ]);
});

test("the deepest before and after", () => {
  const deep = (name: string, bytes: number) => ({ name, module: null, bytes });
  const none = { old: null, new: null };
  const changed = { old: deep("write", 9000), new: deep("mmap", 12_000) };
  const deepest = { direct: none, slotMatched: changed, prototypeMatched: none };
  expect(said({ deepest })).toContain("  the deepest on a task's stack: 9,000 (write) → 12,000 (mmap), slot-matched");
});

test("a frame that grew on nobody's deepest path: no entry has changed, but at other levels some may", () => {
  const frames = [{ name: "f", module: null, old: 80, new: 592, growth: 512 }];
  const [moved, same] = [entry("write", 1000, 1512).bounds.direct, entry("write", 1000, 1000).bounds.direct];
  const entries = [{ ...entry("write", 0, 0), bounds: { direct: same, slotMatched: same, prototypeMatched: moved } }];
  expect(said({ frames, entries })).toContain(
    "No entry is of another bound, slot-matched; 1 with --level prototype-matched",
  );
});
