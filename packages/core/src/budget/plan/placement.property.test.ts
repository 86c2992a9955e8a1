import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graphOf, numberOf, plainEdges } from "../call-graph.fixture.ts";
import { pathBytes } from "../deepest-path.fixture.ts";
import { boundPasses, solveGraph } from "../solve.ts";
import { disjointSegments, greedy, placePoints, pruned } from "./placement.ts";
import { deepest, Segments } from "./segments.ts";

const HOOK_BYTES = 8;

function problemOf(
  table: string,
  entries: string[],
  candidates: string[],
  entryBytes: number,
  pointBytes: number,
  rounds = 0,
) {
  const graph = graphOf(table);
  const { index, order } = solveGraph(
    graph,
    rounds,
    entries.map((name) => numberOf(graph, name)),
  );
  return new Segments({
    index,
    order,
    level: "slot-matched",
    rounds,
    entries: entries.map((name) => ({ f: numberOf(graph, name), baseBytes: 0 })),
    candidates: candidates.map((name) => numberOf(graph, name)),
    limits: { entryBytes, pointBytes, hookBytes: HOOK_BYTES },
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

test.each([
  [0, 450, ["q"], []],
  [1, 450, ["q"], ["q"]],
  [3, 650, ["q"], ["q"]],
  [3, 650, ["t"], ["t"]],
])("with %i upcalls, in %i bytes, of %j: %j", (rounds, bytes, candidates, expected) => {
  const round = "a 8: r+50\n r 8: q+100\n q 8: r+100, t+100\n t 200:";
  const segments = problemOf(round, ["a"], candidates, bytes, bytes, rounds);
  expect(names(segments, placePoints(segments).points)).toEqual(expected);
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
    rounds: fc.nat(2),
  })
  .map(({ count, calls, own, set, candidates, point, threshold, rounds }) => {
    const lines = Array.from({ length: count }, (_, f) => {
      const list = calls
        .filter(([caller]) => caller % count === f)
        .map(([, callee, bytes, kind]) => (kind === 0 ? `*s+${bytes}` : `f${callee % count}+${bytes}`));
      return `f${f} ${own[f]}: ${list.join(", ")}`;
    });
    lines.push(`{s}: ${[...new Set(set.map((f) => `f${f % count}`))].join(" ")}`);
    const allowed = candidates.filter((f) => f < count).map((f) => `f${f}`);
    return problemOf(lines.join("\n"), ["f0", `f${count - 1}`], allowed, point + threshold, point, rounds);
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

/** All walks from a function that take at most `rounds` upcalls, as edges; those that end at a point are marked. */
function* walks(segments: Segments, start: number, points: Uint8Array | null, rounds = segments.problem.rounds) {
  const { index, order } = segments.problem;
  const edges = plainEdges(index.graph, 1);
  type Edge = (typeof edges)[number];
  function* from(f: number, taken: readonly Edge[], upcalls: number): Generator<readonly Edge[]> {
    yield taken;
    for (const edge of edges) {
      if (edge.caller !== f) continue;
      const up = (order.position[edge.callee] as number) <= (order.position[f] as number) ? 1 : 0;
      if (points?.[edge.callee] === 1) yield [...taken, edge];
      else if (upcalls + up <= rounds) yield* from(edge.callee, [...taken, edge], upcalls + up);
    }
  }
  yield* from(start, [], 0);
}

/** What a walk that ends in `last` takes there, with `points`: the hook of a point, else the frame, or a call of what nobody knows. */
function endBytes(segments: Segments, last: number, isEnd: boolean): number {
  if (isEnd) return HOOK_BYTES;
  const { functions, sites } = segments.problem.index.graph;
  let most = functions.ownBytes[last] as number;
  for (let site = 0; site < sites.count; site++) {
    if (sites.caller[site] === last && (sites.callee[site] as number) < 0)
      most = Math.max(most, (sites.bytes[site] as number) + 8);
  }
  return most;
}

/** Bytes of the longest segment from a function, by trying all walks. */
function longestByTrying(segments: Segments, start: number, points: Uint8Array): number {
  let most = 0;
  for (const walk of walks(segments, start, points)) {
    const last = walk.at(-1)?.callee ?? start;
    const sites = walk.reduce((sum, { bytes }) => sum + bytes, 0);
    most = Math.max(most, sites + endBytes(segments, last, walk.length > 0 && points[last] === 1));
  }
  return most;
}

/** A placement of some candidates, for each problem. */
const placed = fc
  .tuple(problems, fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }))
  .map(([segments, chosen]) => ({ segments, points: segments.problem.candidates.filter((f) => chosen[f - 1]) }));

describe("segments against trying all walks", () => {
  test("from every function the longest is found, and its path has as many bytes", () => {
    fc.assert(
      fc.property(placed, ({ segments, points: chosen }) => {
        const { graph } = segments.problem.index;
        const points = segments.mask(chosen);
        const { depth } = deepest(segments.passes(points));
        for (let f = 0; f < graph.functions.count; f++) {
          expect([f, depth[f]]).toEqual([f, longestByTrying(segments, f, points)]);
        }
        for (const { path, bytes } of segments.all(points)) {
          expect(path.filter(({ cut }) => cut).length).toBeLessThanOrEqual(segments.problem.rounds);
          expect(path.slice(1, -1).some(({ f }) => points[f] === 1)).toBe(false);
          const last = path.at(-1)?.f as number;
          const atPoint = path.length > 1 && points[last] === 1;
          const beyond = atPoint ? endBytes(segments, last, true) - graph.functions.ownBytes[last]! : 0;
          expect(pathBytes(graph, path) + beyond).toBe(bytes);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("without points they are the bounds", () => {
    fc.assert(
      fc.property(problems, (segments) => {
        const { rounds, index, entries } = segments.problem;
        const starts = entries.map(({ f }) => f);
        const solved = solveGraph(index.graph, rounds, starts);
        const bound = deepest(boundPasses(solved, solved.levels.slotMatched));
        for (const { start, bytes } of segments.all(segments.mask([]))) expect(bytes).toBe(bound.depth[start]);
      }),
    );
  });

  test("no piece of a path that a bound could tell, from point to point, is longer than the limits that are kept", () => {
    fc.assert(
      fc.property(problems, (segments) => {
        const { points: chosen } = placePoints(segments);
        const points = segments.mask(chosen);
        for (const entry of segments.problem.entries) {
          for (const walk of walks(segments, entry.f, null)) {
            let used = 0;
            let limit = segments.entryLimit(entry);
            for (const { bytes, callee } of walk) {
              used += bytes;
              if (points[callee] !== 1) continue;
              expect(used + HOOK_BYTES).toBeLessThanOrEqual(limit);
              used = 0;
              limit = segments.pointLimit(callee);
            }
            expect(used + endBytes(segments, walk.at(-1)?.callee ?? entry.f, false)).toBeLessThanOrEqual(limit);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

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
