import { describe, expect, test } from "vitest";
import { graphOf, numberOf } from "./call-graph.fixture.ts";
import { pathFrom } from "./deepest-path.ts";
import { type DepthNode, type DepthTreeOptions, depthTree } from "./depth-tree.ts";
import type { BudgetLevel } from "./levels.ts";
import { solveGraph } from "./solve.ts";

const GRAPH = `
  entry   40: write+40, read+40, small+24
  write   100: deep+100, *ops.commit+60
  read    60: deep+60
  deep    300
  small   16
  commit  80: leaf+80
  leaf    20
  {ops.commit}: commit
`;

/** "name top-ownEnd/deepest" lines, indented by depth, with "~N" for N callees left out. */
function drawn(node: DepthNode, indent = ""): string[] {
  const left = node.repeated ? " as above" : node.leftOut > 0 ? ` ~${node.leftOut}` : "";
  const slot = node.call?.slot ? ` (${node.call.certainty} ${node.call.slot})` : "";
  const own = `${indent}${node.name} ${node.top}-${node.ownEnd}/${node.deepest}${slot}${left}`;
  return [own, ...node.callees.flatMap((callee) => drawn(callee, `${indent}  `))];
}

function treeOf(root: string, level: BudgetLevel, options: DepthTreeOptions, table = GRAPH, rounds = 0): string[] {
  const graph = graphOf(table);
  return drawn(depthTree(solveGraph(graph, rounds), level, numberOf(graph, root), 500, options));
}

describe("the deepest calls as a tree", () => {
  test("one path: the deepest", () => {
    expect(treeOf("entry", "slot-matched", { paths: 1 })).toEqual([
      "entry 500-540/940 ~2",
      "  write 540-640/940 ~1",
      "    deep 640-940/940",
    ]);
  });

  test("more paths leave where they are deepest, if they go on for long enough", () => {
    expect(treeOf("entry", "slot-matched", { paths: 9, least: 0.2 })).toEqual([
      "entry 500-540/940 ~1",
      "  write 540-640/940",
      "    deep 640-940/940",
      "    commit 600-680/700 (typed ops.commit)",
      "      leaf 680-700/700",
      "  read 540-600/900",
      "    deep 600-900/900 as above",
    ]);
  });

  test("what a level does not know is not in its tree", () => {
    expect(treeOf("write", "direct", { paths: 9, least: 0 })).toEqual(["write 500-600/900", "  deep 600-900/900"]);
  });

  test.each([
    "one 8: tail two\n two 48",
    "two 48\n one 8: tail two",
    "one 48\n two 8: tail one",
    "two 8: tail one\n one 48",
  ])("of equally deep ones (%j) the one that is told comes first", (functions) => {
    const graph = graphOf(`top 8: *ops.both+8\n ${functions}\n {ops.both}: one two`);
    const solved = solveGraph(graph, 0);
    const told = pathFrom(solved.levels.slotMatched.passes.slice(0, 1), numberOf(graph, "top"));
    const tree = depthTree(solved, "slot-matched", numberOf(graph, "top"), 0);
    expect(tree.callees[0]?.name).toBe(graph.functions.name[told[1]?.f as number]);
  });

  const AGAIN = `
      top 24: again+24
      again 64: again+64, end+64
      end 16
    `;

  test("a cut edge is none: recursion ends where its cycle closes", () => {
    expect(treeOf("top", "direct", { paths: 9, least: 0 }, AGAIN)).toEqual([
      "top 500-524/604",
      "  again 524-588/604",
      "    end 588-604/604",
    ]);
  });

  test("with upcalls allowed a path takes them", () => {
    expect(treeOf("top", "direct", { paths: 1, least: 0 }, AGAIN, 2)).toEqual([
      "top 500-524/732",
      "  again 524-588/732 ~1",
      "    again 588-652/732 ~1",
      "      again 652-716/732",
      "        end 716-732/732",
    ]);
  });
});
