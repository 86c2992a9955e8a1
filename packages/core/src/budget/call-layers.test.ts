import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graphOf, numberOf, plainEdges } from "./call-graph.fixture.ts";
import { layeredOrder } from "./call-layers.ts";
import { findComponents } from "./components.ts";
import { indexGraph } from "./graph-index.ts";
import { byLevel } from "./levels.ts";

/** The upcalls at the slot-matched level, as "caller>callee". */
function upcalls(table: string, starts: readonly string[]): string[] {
  const graph = graphOf(table);
  const index = indexGraph(graph);
  const { position } = layeredOrder(
    index,
    byLevel((level) => findComponents(index, { level })),
    starts.map((name) => numberOf(graph, name)),
  );
  const { name } = graph.functions;
  const found = plainEdges(graph, 1)
    .filter(({ caller, callee }) => position[callee]! <= position[caller]!)
    .map(({ caller, callee }) => `${name[caller]}>${name[callee]}`);
  return [...new Set(found)].sort();
}

describe("which calls are upcalls", () => {
  test.each<[string, string, string[], string[]]>([
    ["none without a cycle", "a 8: b+8, c+8\n b 8: c+8", ["a"], []],
    ["a call to itself", "a 8: a+8", ["a"], ["a>a"]],
    ["the way back to where an entry leads first", "main 8: f+8\n f 8: g+8\n g 8: f+8", ["main"], ["g>f"]],
    ["the same cycle entered at its other end", "main 8: g+8\n f 8: g+8\n g 8: f+8", ["main"], ["f>g"]],
    [
      "reclaim into a file system, not the file system's allocation",
      `write 8: *write_iter+8
       ext4 8: journal+8
       journal 8: alloc+8
       alloc 8: reclaim+8
       reclaim 8: *shrink+8
       evict 8: ext4+8
       {write_iter}: ext4
       {shrink}: evict`,
      ["write"],
      ["evict>ext4"],
    ],
    [
      "what code that dies calls, and not what an exit does",
      "exit 8: do_exit+8\n do_exit 8: close+8\n close 8: oops+8\n oops 8: do_exit+8",
      ["exit"],
      ["oops>do_exit"],
    ],
    [
      "a function is moved where it spares more calls than it costs",
      // `log` is called by the entry, and from three functions further down.
      "main 8: a+8, log+8\n a 8: b+8, log+8\n b 8: c+8, log+8\n c 8: log+8\n log 8: a+8",
      ["main"],
      ["log>a"],
    ],
  ])("%s", (_, table, starts, expected) => {
    expect(upcalls(table, starts)).toEqual(expected);
  });

  test("the order has every function once, and is the same each time", () => {
    const call = fc.tuple(fc.nat(11), fc.nat(11));
    fc.assert(
      fc.property(fc.array(call, { maxLength: 40 }), (calls) => {
        const lines = Array.from({ length: 12 }, (_, f) => {
          const callees = calls.filter(([caller]) => caller === f).map(([, callee]) => `f${callee}+8`);
          return `f${f} 8: ${callees.join(", ")}`;
        });
        const index = indexGraph(graphOf(lines.join("\n")));
        const components = byLevel((level) => findComponents(index, { level }));
        const { sequence, position } = layeredOrder(index, components, [0]);
        expect([...sequence].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, f) => f));
        sequence.forEach((f, at) => {
          expect(position[f]).toBe(at);
        });
        expect(layeredOrder(index, components, [0]).sequence).toEqual(sequence);
      }),
    );
  });

  test("no function of a cycle has a place with fewer of its own calls backwards", () => {
    const call = fc.tuple(fc.nat(11), fc.nat(11));
    fc.assert(
      fc.property(fc.array(call, { minLength: 12, maxLength: 60 }), (calls) => {
        const lines = Array.from({ length: 12 }, (_, f) => {
          const callees = calls.filter(([caller]) => caller === f).map(([, callee]) => `f${callee}+8`);
          return `f${f} 8: ${callees.join(", ")}`;
        });
        const graph = graphOf(lines.join("\n"));
        const index = indexGraph(graph);
        const components = byLevel((level) => findComponents(index, { level }));
        const { sequence } = layeredOrder(index, components, [0]);
        const of = components.slotMatched.of;
        const edges = plainEdges(graph, 1);
        for (let f = 0; f < 12; f++) {
          const others = [...sequence].filter((other) => other !== f && of[other] === of[f]);
          const own = new Set(
            edges.flatMap(({ caller, callee }) =>
              caller === f && others.includes(callee)
                ? [`>${callee}`]
                : callee === f && others.includes(caller)
                  ? [`<${caller}`]
                  : [],
            ),
          );
          // Backwards, with that many of the others before it.
          const backwards = (before: number): number =>
            others.filter((other, at) => own.has(at < before ? `>${other}` : `<${other}`)).length;
          const here = others.filter((other) => sequence.indexOf(other) < sequence.indexOf(f)).length;
          for (let before = 0; before <= others.length; before++) {
            expect(backwards(before)).toBeGreaterThanOrEqual(backwards(here));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
