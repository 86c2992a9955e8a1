import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graphOf, numberOf } from "../call-graph.fixture.ts";
import { findComponents } from "../components.ts";
import { cutOrder } from "../cut-order.ts";
import { indexGraph } from "../graph-index.ts";
import { BUDGET_LEVELS } from "../levels.ts";
import { disjointSegments, greedy, placePoints, pruned } from "./placement.ts";
import { Segments } from "./segments.ts";

function problemOf(table: string, entries: string[], candidates: string[], entryBytes: number, pointBytes: number) {
  const graph = graphOf(table);
  const index = indexGraph(graph);
  const order = cutOrder(
    index,
    BUDGET_LEVELS.map((level) => findComponents(index, { level })),
  );
  return new Segments({
    index,
    order,
    level: "slot-matched",
    entries: entries.map((name) => ({ f: numberOf(graph, name), baseBytes: 0 })),
    candidates: candidates.map((name) => numberOf(graph, name)),
    limits: { entryBytes, pointBytes, hookBytes: 8 },
  });
}

function names(segments: Segments, points: readonly number[]): string[] {
  return points.map((f) => segments.problem.index.graph.functions.name[f] as string);
}

describe("placements with known answers", () => {
  const CHAIN = "a 10: b+100\n b 10: c+100\n c 10: d+100\n d 10: e+100\n e 100:";
  test.each([
    ["nothing to do", CHAIN, ["a"], ["b", "c", "d"], 500, 500, []],
    ["one in the middle", CHAIN, ["a"], ["b", "c", "d"], 350, 350, 1],
    ["two", CHAIN, ["a"], ["b", "c", "d", "e"], 210, 200, 2],
    ["the one that may be", CHAIN, ["a"], ["d"], 450, 300, ["d"]],
    [
      "one stem for many branches",
      "a 8: s+50\n s 8: x+50, y+60, z+70\n x 300:\n y 300:\n z 300:",
      ["a"],
      ["s", "x", "y", "z"],
      400,
      380,
      ["s"],
    ],
    [
      "recursion with a point on it needs no other",
      "a 8: r+50\n r 8: q+100\n q 8: r+100, t+100\n t 200:",
      ["a"],
      ["r"],
      449,
      408,
      ["r"],
    ],
    ["through a slot", "a 8: *s+100\n x 300:\n y 10:\n {s}: x y", ["a"], ["x", "y"], 399, 300, ["x"]],
  ] as const)("%s", (_, table, entries, candidates, entryBytes, pointBytes, expected) => {
    const segments = problemOf(table, [...entries], [...candidates], entryBytes, pointBytes);
    const { points, optimal, lowerBound } = placePoints(segments);
    expect(segments.keeps(points)).toBe(true);
    expect(optimal).toBe(true);
    expect(lowerBound).toBe(points.length);
    if (typeof expected === "number") expect(points).toHaveLength(expected);
    else expect(names(segments, points)).toEqual(expected);
  });
});

const problems = fc
  .record({
    count: fc.integer({ min: 2, max: 8 }),
    calls: fc.array(fc.tuple(fc.nat(7), fc.nat(7), fc.integer({ min: 8, max: 99 }), fc.nat(3)), { maxLength: 16 }),
    own: fc.array(fc.integer({ min: 8, max: 120 }), { minLength: 8, maxLength: 8 }),
    set: fc.uniqueArray(fc.nat(7), { maxLength: 4 }),
    candidates: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 6 }),
    point: fc.integer({ min: 60, max: 300 }),
    threshold: fc.integer({ min: 0, max: 150 }),
  })
  .map(({ count, calls, own, set, candidates, point, threshold }) => {
    const lines = Array.from({ length: count }, (_, f) => {
      const list = calls
        .filter(([caller]) => caller % count === f)
        .map(([, callee, bytes, kind]) => (kind === 0 ? `*s+${bytes}` : `f${callee % count}+${bytes}`));
      return `f${f} ${own[f]}: ${list.join(", ")}`;
    });
    lines.push(`{s}: ${[...new Set(set.map((f) => `f${f % count}`))].join(" ")}`);
    const allowed = candidates.filter((f) => f < count).map((f) => `f${f}`);
    return problemOf(lines.join("\n"), ["f0", `f${count - 1}`], allowed, point + threshold, point);
  });

function* subsets(items: readonly number[], size: number, from = 0): Generator<number[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let at = from; at < items.length; at++) {
    for (const rest of subsets(items, size - 1, at + 1)) yield [items[at] as number, ...rest];
  }
}

describe("placements against trying every one", () => {
  test("the exact search finds as few points as there can be; the bound is never above, the heuristic never below", () => {
    fc.assert(
      fc.property(problems, (segments) => {
        const { candidates } = segments.problem;
        let fewest = 0;
        while (![...subsets(candidates, fewest)].some((points) => segments.keeps(points))) fewest++;
        const placed = placePoints(segments);
        expect(segments.keeps(placed.points)).toBe(true);
        expect(placed.optimal).toBe(true);
        expect(placed.points.length).toBe(fewest);
        expect(placed.lowerBound).toBe(fewest);
        expect(disjointSegments(segments)).toBeLessThanOrEqual(fewest);
        const quick = pruned(segments, greedy(segments));
        expect(segments.keeps(quick)).toBe(true);
        expect(quick.length).toBeGreaterThanOrEqual(fewest);
      }),
      { numRuns: 500 },
    );
  });

  test("whatever is judged too long is so with every candidate left out of the count", () => {
    fc.assert(
      fc.property(problems, (segments) => {
        // All candidates together keep every limit: what they leave is the limit where nothing helps.
        expect(segments.keeps(segments.problem.candidates)).toBe(true);
      }),
    );
  });
});
