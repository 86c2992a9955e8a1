import type { DepthNode } from "@spillway/core";
import { describe, expect, test } from "vitest";
import { icicle, layOut } from "./icicle.ts";

function node(name: string, top: number, ownEnd: number, callees: DepthNode[] = []): DepthNode {
  const deepest = Math.max(ownEnd, ...callees.map((callee) => callee.deepest));
  const call = { address: -1, kind: "call", certainty: "proven", depth: "exact", slot: null } as const;
  return { name, module: null, top, ownEnd, deepest, call, callees, leftOut: 0, repeated: false };
}

const TREE = node("entry", 0, 40, [
  node("write", 40, 140, [node("deep", 140, 440)]),
  node("read", 60, 100, [node("a", 100, 120), node("b", 90, 110)]),
]);

describe("the layout of an icicle graph", () => {
  const cells = layOut(TREE, 100);
  const place = (name: string) => cells.find((cell) => cell.node.name === name)!;

  test.each([
    // The deepest path is 8 wide where the others are 1: 80 % of 100 units.
    ["entry", 0, 100, true],
    ["write", 0, 80, true],
    ["deep", 0, 80, true],
    ["read", 80, 20, false],
    ["a", 80, 10, false],
    ["b", 90, 10, false],
  ])("%s stands at %d, %d wide", (name, x, width, deepest) => {
    expect(place(name)).toMatchObject({ x, width, deepest });
  });

  test("a frame ends where the frame of the callee below it begins", () => {
    expect(place("entry").steps).toEqual([
      { x: 0, width: 80, end: 40 },
      { x: 80, width: 20, end: 60 },
    ]);
    expect(place("read").steps.map((step) => step.end)).toEqual([100, 90]);
    expect(place("deep").steps).toEqual([{ x: 0, width: 80, end: 440 }]);
  });

  test("a path that goes on as a deeper one does is drawn to its end in one piece", () => {
    const joined = { ...node("deep", 120, 420), repeated: true, deepest: 900 };
    expect(layOut(node("entry", 0, 40, [joined]), 100)[1]!.steps).toEqual([{ x: 0, width: 100, end: 900 }]);
  });

  test("no byte of a column is uncovered, and none is covered twice", () => {
    for (const leaf of cells.filter((cell) => cell.node.callees.length === 0)) {
      const column = cells
        .filter((cell) => cell.x <= leaf.x && leaf.x < cell.x + cell.width)
        .map((cell) => [cell.node.top, cell.steps.find((step) => leaf.x < step.x + step.width)?.end])
        .sort((a, b) => a[0]! - b[0]!);
      expect(column[0]![0]).toBe(0);
      for (let at = 1; at < column.length; at++) expect(column[at]![0]).toBe(column[at - 1]![1]);
      expect(column.at(-1)![1]).toBe(leaf.node.ownEnd);
    }
  });
});

describe("the drawing", () => {
  test("names are escaped, limits are drawn, a hostile name ends nothing", () => {
    const { text } = icicle(node("<script>x</script>", 0, 400), [{ bytes: 300, text: "end & all", fatal: true }]);
    expect(text).not.toContain("<script>");
    expect(text).toContain("&lt;script&gt;");
    expect(text).toMatch(/<line class="fatal"[^>]*y1="64"/);
    expect(text).toContain("end &amp; all");
  });

  test("critical points are marked, of their own module alone", () => {
    const two = node("entry", 0, 40, [node("write", 40, 400), { ...node("write", 40, 300), module: "mine" }]);
    const { text } = icicle(two, [], new Set(["write [mine]"]));
    expect(text.match(/class="f proven[^"]* point"/g)).toHaveLength(1);
    expect(text).toMatch(/<title>write \[mine\][\s\S]*<text[^>]*>◆ write</);
  });

  test("however deep it gets, the page stays of a size that a browser draws", () => {
    const { text } = icicle(node("huge", 0, 10_000_000), []);
    expect(Number(/height="(\d+)"/.exec(text)![1])).toBeLessThan(6100);
  });
});
