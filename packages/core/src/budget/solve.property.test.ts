import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graphOf, plainEdges } from "./call-graph.fixture.ts";
import type { CallGraph } from "./call-graph.ts";
import { pathBytes, withoutLoops } from "./deepest-path.fixture.ts";
import { pathFrom, pathTo } from "./deepest-path.ts";
import { deepestContexts } from "./depths.ts";
import { atLevel, BUDGET_LEVELS } from "./levels.ts";
import { countReachable } from "./reachable.ts";
import { solveGraph } from "./solve.ts";

/** Random graphs as tables: functions f0…, typed and assumed sets, the typed callees among the assumed ones. */
const tables = fc
  .record({
    count: fc.integer({ min: 1, max: 7 }),
    calls: fc.array(fc.tuple(fc.nat(6), fc.nat(6), fc.integer({ min: 8, max: 60 }), fc.nat(3)), { maxLength: 14 }),
    own: fc.array(fc.integer({ min: 8, max: 90 }), { minLength: 7, maxLength: 7 }),
    sets: fc.array(fc.uniqueArray(fc.nat(6), { maxLength: 4 }), { minLength: 3, maxLength: 3 }),
  })
  .map(({ count, calls, own, sets }) => {
    const lines = Array.from({ length: count }, (_, f) => {
      const list = calls
        .filter(([caller]) => caller % count === f)
        .map(([, callee, bytes, kind]) => {
          if (kind <= 1) return `f${callee % count}+${bytes}`;
          return kind === 2 ? `*s${callee % 3}?a${callee % 3}+${bytes}` : `?a${callee % 3}+${bytes}`;
        });
      return `f${f} ${own[f]}: ${list.join(", ")}`;
    });
    const members = sets.map((set) => [...new Set(set.map((f) => `f${f % count}`))]);
    members.forEach((set, s) => {
      lines.push(`{s${s}}: ${set.join(" ")}`, `{a${s}}: ${[...new Set([...set, "f0"])].join(" ")}`);
    });
    return lines.join("\n");
  });

/** Deepest path from `start`, by trying all; `allow(path, edge)` says whether it may go on. Lengths are bounded by `allow`. */
function deepestByTrying(
  graph: CallGraph,
  level: number,
  start: number,
  allow: (path: readonly number[], callee: number, cuts: number) => number | null,
): number {
  const edges = plainEdges(graph, level);
  const from = (path: number[], cuts: number): number => {
    const f = path[path.length - 1] as number;
    let best = graph.functions.ownBytes[f] as number;
    for (const edge of edges) {
      if (edge.caller !== f) continue;
      const left = allow(path, edge.callee, cuts);
      if (left !== null) best = Math.max(best, edge.bytes + from([...path, edge.callee], left));
    }
    // An indirect call puts a return address there, whatever it calls.
    for (let site = 0; site < graph.sites.count; site++) {
      if (graph.sites.caller[site] !== f || (graph.sites.callee[site] as number) >= 0) continue;
      best = Math.max(best, (graph.sites.bytes[site] as number) + 8);
    }
    return best;
  };
  return from([start], 0);
}

describe("what is promised of the bounds, against trying all paths", () => {
  test("no path that takes at most so many cut edges is deeper, and there is one as deep", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const graph = graphOf(table);
        const solved = solveGraph(graph, 1, [0]);
        const { position } = solved.order;
        BUDGET_LEVELS.forEach((level, at) => {
          const { passes } = atLevel(solved.levels, level);
          for (let start = 0; start < graph.functions.count; start++) {
            passes.forEach((pass, rounds) => {
              const expected = deepestByTrying(graph, at, start, (path, callee, cuts) => {
                const cut = (position[callee] as number) <= (position[path[path.length - 1] as number] as number);
                return cut && cuts === rounds ? null : cuts + (cut ? 1 : 0);
              });
              expect(pass.depth[start]).toBe(expected);
            });
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  test("a path that enters no function twice lies between what was found and what cannot be exceeded", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const graph = graphOf(table);
        const solved = solveGraph(graph, 0);
        BUDGET_LEVELS.forEach((level, at) => {
          const { passes, noFunctionTwice, components } = atLevel(solved.levels, level);
          for (let start = 0; start < graph.functions.count; start++) {
            const simple = deepestByTrying(graph, at, start, (path, callee) => (path.includes(callee) ? null : 0));
            expect(passes[0]?.depth[start]).toBeLessThanOrEqual(simple);
            expect(noFunctionTwice.ofComponent[components.of[start] as number]).toBeGreaterThanOrEqual(simple);
            for (let rounds = 0; rounds < passes.length; rounds++) {
              const found = withoutLoops(pathFrom(passes.slice(0, rounds + 1), start));
              expect(new Set(found.map((node) => node.f)).size).toBe(found.length);
              expect(pathBytes(graph, found)).toBeLessThanOrEqual(simple);
            }
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  test("the path of a bound has as many bytes as the bound, along edges that there are", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const graph = graphOf(table);
        const solved = solveGraph(graph, 2, [0]);
        BUDGET_LEVELS.forEach((level, at) => {
          const { passes } = atLevel(solved.levels, level);
          const edges = plainEdges(graph, at);
          for (let start = 0; start < graph.functions.count; start++) {
            passes.forEach((pass, rounds) => {
              const path = pathFrom(passes.slice(0, rounds + 1), start);
              path.slice(1).forEach((node, before) => {
                const caller = path[before]?.f;
                expect(
                  edges.some((edge) => edge.site === node.site && edge.caller === caller && edge.callee === node.f),
                ).toBe(true);
              });
              expect(path.filter((node) => node.cut).length).toBeLessThanOrEqual(rounds);
              // Where the path ends at an indirect call, its return address is all that is missing.
              const missing = (pass.depth[start] as number) - pathBytes(graph, path);
              expect(missing).toBeGreaterThanOrEqual(0);
            });
          }
        });
      }),
    );
  });

  test("levels never shrink, and an order that cuts nothing is found where there are no cycles", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const graph = graphOf(table);
        const { levels, order } = solveGraph(graph, 0, [0]);
        const bounds = BUDGET_LEVELS.map((level) => atLevel(levels, level).passes[0]?.depth as Int32Array);
        for (let f = 0; f < graph.functions.count; f++) {
          expect(bounds[1]?.[f]).toBeGreaterThanOrEqual(bounds[0]?.[f] as number);
          expect(bounds[2]?.[f]).toBeGreaterThanOrEqual(bounds[1]?.[f] as number);
        }
        BUDGET_LEVELS.forEach((level, at) => {
          // Typed calls close cycles for the direct level too: all levels have one order.
          const { components } = atLevel(levels, level === "direct" ? "slot-matched" : level);
          for (const { caller, callee } of plainEdges(graph, at)) {
            if (components.of[caller] === components.of[callee]) continue;
            expect(order.position[caller]).toBeLessThan(order.position[callee] as number);
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  test("components are those of mutual reachability", () => {
    fc.assert(
      fc.property(tables, (table) => {
        const graph = graphOf(table);
        const { levels, index } = solveGraph(graph);
        BUDGET_LEVELS.forEach((level, at) => {
          const count = graph.functions.count;
          const reach = Array.from({ length: count }, () => new Array<boolean>(count).fill(false));
          for (const { caller, callee } of plainEdges(graph, at)) (reach[caller] as boolean[])[callee] = true;
          for (let via = 0; via < count; via++)
            for (let a = 0; a < count; a++)
              for (let b = 0; b < count; b++) if (reach[a]?.[via] && reach[via]?.[b]) (reach[a] as boolean[])[b] = true;
          const { components } = atLevel(levels, level);
          for (let a = 0; a < count; a++) {
            for (let b = 0; b < count; b++) {
              const together = a === b || (reach[a]?.[b] === true && reach[b]?.[a] === true);
              expect(components.of[a] === components.of[b]).toBe(together);
            }
            expect(components.cyclic[components.of[a] as number] === 1).toBe(reach[a]?.[a] === true);
          }
          const counted = countReachable(
            index,
            level,
            components,
            Array.from({ length: count }, (_, f) => f),
          );
          counted.forEach(({ functions }, f) => {
            expect(functions).toBe(new Set([f, ...reach.flatMap((_, b) => (reach[f]?.[b] ? [b] : []))]).size);
          });
        });
      }),
      { numRuns: 300 },
    );
  });

  test("the deepest context of a function is that of all ways from a start to it", () => {
    fc.assert(
      fc.property(tables, fc.integer({ min: 0, max: 1 }), (table, rounds) => {
        const graph = graphOf(table);
        const { index, order } = solveGraph(graph, 0, [0]);
        const base = new Int32Array(graph.functions.count).fill(-1);
        base[0] = 100;
        BUDGET_LEVELS.forEach((level, at) => {
          const passes = deepestContexts(index, order, level, rounds, base);
          const edges = plainEdges(graph, at);
          const deepest = new Int32Array(graph.functions.count).fill(-1);
          const walk = (f: number, above: number, cuts: number): void => {
            deepest[f] = Math.max(deepest[f] as number, above);
            for (const edge of edges) {
              if (edge.caller !== f) continue;
              const cut = (order.position[edge.callee] as number) <= (order.position[f] as number) ? 1 : 0;
              if (cuts + cut <= rounds) walk(edge.callee, above + edge.bytes, cuts + cut);
            }
          };
          walk(0, 100, 0);
          expect([...(passes[rounds]?.above ?? [])]).toEqual([...deepest]);
          for (let f = 0; f < graph.functions.count; f++) {
            const path = pathTo(graph, passes, f);
            expect(path === null).toBe(deepest[f] === -1);
            if (path === null) continue;
            const bytes = path.slice(1).reduce((sum, node) => sum + (graph.sites.bytes[node.site] as number), 100);
            expect(path[0]?.f).toBe(0);
            expect(bytes).toBe(deepest[f]);
          }
        });
      }),
      { numRuns: 200 },
    );
  });
});
