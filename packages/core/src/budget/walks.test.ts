import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graphOf, numberOf } from "./call-graph.fixture.ts";
import type { CallGraph } from "./call-graph.ts";
import { pathBytes, untilRepeated, withoutLoops } from "./deepest-path.fixture.ts";
import { countEdges, pathFrom } from "./deepest-path.ts";
import { SharedSteps, stepsOf } from "./path-steps.ts";
import { type SolvedGraph, solveGraph } from "./solve.ts";
import { walkFigures } from "./walks.ts";

/** Numbers of the slot-matched level's components as those of cycles; -1 where a component is none. */
function cyclesIn({ graph, levels }: SolvedGraph): Int32Array {
  const { of, cyclic } = levels.slotMatched.components;
  return Int32Array.from(graph.functions.name, (_, f) => (cyclic[of[f] as number] === 1 ? (of[f] as number) : -1));
}

function figuresOf(graph: CallGraph, rounds: number) {
  const solved = solveGraph(graph, rounds, [0]);
  const { passes } = solved.levels.slotMatched;
  const starts = Array.from({ length: graph.functions.count }, (_, f) => f);
  const cycles = cyclesIn(solved);
  return { passes, cycles, figures: walkFigures(graph, passes, cycles, starts) };
}

describe("what is left of a path without repetition", () => {
  test.each<[string, string, number]>([
    ["all of it, without a cycle", "a 8: b+16\n b 8: c+24\n c 40:", 80],
    // a b c b c b: once round, b and c.
    ["a cycle passed once", "a 8: b+16\n b 8: c+24\n c 8: b+32", 48],
    ["with what comes after the cycle", "a 8: b+16\n b 8: c+24, d+8\n c 8: b+32\n d 100:", 124],
    ["the way into the cycle, where that is deeper than what comes after it", "a 8: b+16\n b 8: c+500\n c 8: b+8", 524],
  ])("%s", (_, table, expected) => {
    const graph = graphOf(table);
    expect(figuresOf(graph, 2).figures[numberOf(graph, "a")]?.foundBytes).toBe(expected);
  });
});

/** Random graphs of few functions with many cycles, a set, and calls of different bytes. */
const tables = fc
  .record({
    calls: fc.array(fc.tuple(fc.nat(4), fc.nat(5), fc.integer({ min: 8, max: 60 })), { maxLength: 16 }),
    own: fc.array(fc.integer({ min: 8, max: 90 }), { minLength: 5, maxLength: 5 }),
    members: fc.uniqueArray(fc.nat(4), { maxLength: 3 }),
  })
  .map(({ calls, own, members }) => {
    const lines = own.map((bytes, f) => {
      const list = calls
        .filter(([caller]) => caller === f)
        .map(([, callee, at]) => (callee === 5 ? `*slot+${at}` : `f${callee}+${at}`));
      return `f${f} ${bytes}: ${list.join(", ")}`;
    });
    return [...lines, `{slot}: ${members.map((f) => `f${f}`).join(" ")}`].join("\n");
  });

test("figures of all paths together are those of each alone", () => {
  fc.assert(
    fc.property(tables, fc.integer({ min: 0, max: 6 }), (table, rounds) => {
      const graph = graphOf(table);
      const { passes, cycles, figures } = figuresOf(graph, rounds);
      const bound = passes.slice(0, rounds + 1);
      const steps = new SharedSteps(graph, bound);
      figures.forEach((figure, f) => {
        const walk = pathFrom(bound, f);
        const found = passes.flatMap((_, round) => {
          const own = pathFrom(passes.slice(0, round + 1), f);
          return [untilRepeated(own), withoutLoops(own)].map((path) => pathBytes(graph, path));
        });
        const passed = walk.map((node) => cycles[node.f] as number).filter((cycle) => cycle >= 0);
        expect(figure).toEqual({
          edges: countEdges(walk),
          cycles: [...new Set(passed)],
          foundBytes: Math.max(...found),
        });
        expect(steps.from(f)).toEqual(stepsOf(graph, walk));
      });
    }),
    { numRuns: 2000 },
  );
});
