import { describe, expect, test } from "vitest";
import { graphOf, plainEdges } from "./call-graph.fixture.ts";
import { findComponents } from "./components.ts";
import { cutOrder } from "./cut-order.ts";
import { indexGraph } from "./graph-index.ts";
import { BUDGET_LEVELS } from "./levels.ts";

/** Edges that the order cuts at the highest level, as "caller>callee". */
function cutEdges(table: string): string[] {
  const graph = graphOf(table);
  const index = indexGraph(graph);
  const { position } = cutOrder(
    index,
    BUDGET_LEVELS.map((level) => findComponents(index, { level })),
  );
  const { name } = graph.functions;
  const cut = plainEdges(graph, 2).filter(
    ({ caller, callee }) => (position[callee] as number) <= (position[caller] as number),
  );
  return [...new Set(cut.map(({ caller, callee }) => `${name[caller]}>${name[callee]}`))].sort();
}

describe("which edges are cut", () => {
  test.each([
    ["none without a cycle", "a 8: b+8, c+8\n b 8: c+8", []],
    ["a call to itself", "a 8: a+8", ["a>a"]],
    ["the way back to who is called from outside", "main 8: f+8\n f 8: g+8\n g 8: f+8", ["g>f"]],
    [
      "what is called from everywhere calls up",
      "main 8: a+8, b+8\n a 8: b+8, print+8\n b 8: c+8, print+8\n c 8: print+8\n print 8: a+8",
      ["print>a"],
    ],
    [
      "a typed call and not the proven ones that lead to it",
      "write 8: alloc+8\n alloc 8: reclaim+8\n reclaim 8: *shrink+8\n scan 8: alloc+8\n {shrink}: scan",
      ["reclaim>scan"],
    ],
    ["an assumed call and not a typed one", "f 8: *slot+8\n g 8: ?any+8\n {slot}: g\n {any}: f", ["g>f"]],
    [
      "of a slot's members only the one that leads back",
      "vfs 8: *write+8\n upper 8: vfs+8\n lower 8:\n {write}: upper lower",
      ["vfs>upper"],
    ],
  ])("%s", (_, table, expected) => {
    expect(cutEdges(table)).toEqual(expected);
  });
});
