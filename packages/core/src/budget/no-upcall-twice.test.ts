import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graphOf, numberOf, plainEdges } from "./call-graph.fixture.ts";
import type { CallGraph } from "./call-graph.ts";
import { pathBytes } from "./deepest-path.fixture.ts";
import { contextsNoUpcallTwice, noUpcallTwice } from "./no-upcall-twice.ts";
import { solveGraph } from "./solve.ts";

function deepest(graph: CallGraph, start: number, upcalls: number) {
  const solved = solveGraph(graph, upcalls, [0]);
  const found = noUpcallTwice(solved.index, solved.order, "slot-matched", upcalls, start);
  const told = solved.levels.slotMatched.passes[upcalls]?.depth[start] as number;
  return { ...found, told, position: solved.order.position };
}

/** What makes two upcalls the same. */
function upcallAt({ sites }: CallGraph, site: number): string {
  return `${sites.caller[site]} to ${sites.callee[site]} or through ${sites.typedSet[site]}`;
}

describe("the deepest path that takes no upcall twice", () => {
  test.each<[string, string, number, string]>([
    ["goes once round a cycle", "a 8: b+16\n b 8: c+24\n c 40: b+32", 1, "a b c b c: 16 24 32 24 40"],
    ["and no more often, with more upcalls", "a 8: b+16\n b 8: c+24\n c 40: b+32", 4, "a b c b c: 16 24 32 24 40"],
    ["but once round each of two", "a 8: b+16, c+8\n b 8: b+100\n c 8: c+50", 4, "a b b: 16 100 8"],
    [
      "where the heaviest is taken, the next one is",
      // Once c is behind it, c's round is taken; d's is what is left.
      "a 8: b+8\n b 8: c+8, d+8\n c 64: b+300\n d 16: b+200",
      4,
      "a b c b d b c: 8 8 300 8 200 8 64",
    ],
    [
      "a function that calls another one upwards from two places does so once",
      "a 8: b+16\n b 40: b+24, b+32",
      4,
      "a b b: 16 32 40",
    ],
    [
      "and one that calls through a slot, whoever is called",
      // Both members are called before they are known to call, so the calls through the slot are the upcalls.
      "a 8: c+8\n c 16: b+8\n b 8: *slot+40\n d 24: b+8\n {slot}: c d",
      4,
      "a c b d b c b d: 8 8 40 8 40 8 40 24",
    ],
  ])("%s", (_, table, upcalls, expected) => {
    const graph = graphOf(table);
    const { bytes, path } = deepest(graph, numberOf(graph, "a"), upcalls);
    const own = path.map((node, at) => {
      const next = path[at + 1];
      return next === undefined ? graph.functions.ownBytes[node.f] : graph.sites.bytes[next.site];
    });
    expect(`${path.map(({ f }) => graph.functions.name[f]).join(" ")}: ${own.join(" ")}`).toBe(expected);
    expect(bytes).toBe(pathBytes(graph, path));
  });

  /** Random graphs of few functions with many cycles and a set. */
  const tables = fc
    .record({
      calls: fc.array(fc.tuple(fc.nat(3), fc.nat(4), fc.integer({ min: 8, max: 60 })), { maxLength: 9 }),
      own: fc.array(fc.integer({ min: 8, max: 90 }), { minLength: 4, maxLength: 4 }),
      members: fc.uniqueArray(fc.nat(3), { maxLength: 3 }),
    })
    .map(({ calls, own, members }) => {
      const lines = own.map((bytes, f) => {
        const list = calls
          .filter(([caller]) => caller === f)
          .map(([, callee, at]) => (callee === 4 ? `*slot+${at}` : `f${callee}+${at}`));
        return `f${f} ${bytes}: ${list.join(", ")}`;
      });
      return [...lines, `{slot}: ${members.map((f) => `f${f}`).join(" ")}`].join("\n");
    });

  test("is the deepest of all, and never deeper than a bound that lets them be taken again", () => {
    fc.assert(
      fc.property(tables, fc.nat(4), (table, upcalls) => {
        const graph = graphOf(table);
        const edges = plainEdges(graph, 1);
        const { bytes, path, told, position } = deepest(graph, 0, upcalls);
        const from = (f: number, taken: readonly string[]): number => {
          let best = graph.functions.ownBytes[f] as number;
          for (let site = 0; site < graph.sites.count; site++) {
            const isIndirect = graph.sites.caller[site] === f && (graph.sites.callee[site] as number) < 0;
            if (isIndirect) best = Math.max(best, (graph.sites.bytes[site] as number) + 8);
          }
          for (const { caller, callee, bytes: own, site } of edges) {
            if (caller !== f) continue;
            const isCut = (position[callee] as number) <= (position[f] as number);
            const upcall = upcallAt(graph, site);
            if (isCut && (taken.length === upcalls || taken.includes(upcall))) continue;
            best = Math.max(best, own + from(callee, isCut ? [...taken, upcall] : taken));
          }
          return best;
        };
        expect(bytes).toBe(from(0, []));
        expect(bytes).toBeLessThanOrEqual(told);
        expect(pathBytes(graph, path)).toBeLessThanOrEqual(bytes);
        expect(path.filter(({ cut }) => cut).length).toBeLessThanOrEqual(upcalls);
      }),
      { numRuns: 400 },
    );
  });

  test("and the deepest way to each function that takes none twice", () => {
    fc.assert(
      fc.property(tables, fc.nat(4), (table, upcalls) => {
        const graph = graphOf(table);
        const { index, order } = solveGraph(graph, 0, [0]);
        const base = new Int32Array(graph.functions.count).fill(-1);
        base[0] = 100;
        const deepest = base.slice();
        const walk = (f: number, above: number, taken: readonly string[]): void => {
          deepest[f] = Math.max(deepest[f] as number, above);
          for (const { caller, callee, bytes, site } of plainEdges(graph, 1)) {
            if (caller !== f) continue;
            const isCut = (order.position[callee] as number) <= (order.position[f] as number);
            const upcall = upcallAt(graph, site);
            if (isCut && (taken.length === upcalls || taken.includes(upcall))) continue;
            walk(callee, above + bytes, isCut ? [...taken, upcall] : taken);
          }
        };
        walk(0, 100, []);
        expect([...contextsNoUpcallTwice(index, order, "slot-matched", upcalls, base)]).toEqual([...deepest]);
      }),
      { numRuns: 400 },
    );
  });
});
