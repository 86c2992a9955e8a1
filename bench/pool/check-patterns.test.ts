import { describe, expect, it, test } from "vitest";
import { checkPattern, fewestStacks, PATTERNS, verdictsByStacks } from "./check-patterns.ts";

/** docs/check.md states these; bench/pool/check-grid.ts goes on to larger ones. */
const SIZES = [
  [1, 1],
  [2, 1],
  [2, 2],
  [3, 2],
  [2, 3],
] as const;

describe.each(PATTERNS)("$name: sleeping is safe from $formula stacks on", (pattern) => {
  it.each(SIZES.filter(([, depth]) => depth >= pattern.leastDepth))("%d tasks, %d deep", (tasks, depth) => {
    const verdicts = verdictsByStacks(pattern, tasks, depth, "sleep");
    const fewest = pattern.stacks(tasks, depth);
    expect(verdicts).toEqual(verdicts.map((_, index) => (index + 1 < fewest ? "deadlock" : "holds")));
    expect(fewestStacks(verdicts)).toBe(fewest);
    expect(new Set(verdictsByStacks(pattern, tasks, depth, "eio"))).toEqual(new Set(["holds"]));
  });
});

test("one stack less is a deadlock with its trace", () => {
  const pattern = PATTERNS.find(({ name }) => name === "no lock")!;
  const { verdict, cycle } = checkPattern(pattern, 3, 2, 3, "sleep");
  expect(verdict).toBe("deadlock");
  expect(cycle[0]).toBe("t 1 holds an extra stack and waits for an extra stack, all 3 held by itself, t 2 and t 3");
});

test.each([
  [["deadlock", "holds", "holds"], 2],
  [["holds", "deadlock", "holds"], 3],
  [["deadlock", "deadlock"], null],
  [["holds", "holds"], 1],
] as const)("%j: %j stacks", (verdicts, fewest) => expect(fewestStacks(verdicts)).toBe(fewest));
