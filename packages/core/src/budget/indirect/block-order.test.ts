/** The order of blocks: graphs by hand, and random ones held against what reaches what. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { OrderedBlocks } from "./block-columns.ts";
import { BlockOrder } from "./block-order.ts";

/** Instructions of a block. */
const LENGTH = 10;

/** @param edges of each block, those that it leads to */
function order(edges: readonly (readonly number[])[], into = new BlockOrder()): OrderedBlocks {
  const edgeStart = [0];
  for (const [block, { length }] of edges.entries()) edgeStart.push(edgeStart[block]! + length);
  return into.order({
    count: edges.length,
    first: Int32Array.from([...edges.keys(), edges.length], (block) => LENGTH * block),
    edgeStart: Int32Array.from(edgeStart),
    edges: Int32Array.from(edges.flat()),
  });
}

/** The blocks in their order, by the numbers that they were found with; loops in brackets. */
function text({ count, first, loopEnd }: OrderedBlocks): string {
  let written = "";
  let last = -1;
  for (let block = 0; block < count; block++) {
    if (loopEnd[block]! >= 0) {
      written += "[";
      last = loopEnd[block]!;
    }
    written += first[block]! / LENGTH;
    written += block === last ? "] " : " ";
  }
  return written.trimEnd();
}

test.each([
  ["one block", [[]], "0"],
  ["one that leads to itself", [[0]], "[0]"],
  ["a branch: what stands next comes first", [[1, 2], [3], [3], []], "0 1 2 3"],
  ["code behind the function that jumps back into it is no loop", [[1, 3], [2], [], [1]], "0 3 1 2"],
  ["a loop", [[1], [2], [1, 3], []], "0 [1 2] 3"],
  ["a loop whose condition stands behind it", [[2], [2], [1, 3], []], "0 [2 1] 3"],
  ["one in another", [[1], [2], [2, 3], [1, 4], []], "0 [1 2 3] 4"],
  ["a loop with a part behind the function", [[1], [2, 4], [1, 3], [], [2]], "0 [1 4 2] 3"],
  ["what nothing leads to", [[2], [2], []], "1 0 2"],
  ["a loop that nothing leads to", [[], [2], [1]], "[1 2] 0"],
  ["a loop back to the beginning", [[1], [0, 2], []], "[0 1] 2"],
])("%s", (_, edges, expected) => {
  expect(text(order(edges))).toBe(expected);
});

test("each block comes behind those that lead to it, but for loops, whose blocks reach each other", () => {
  const into = new BlockOrder();
  const graphs = fc
    .integer({ min: 1, max: 14 })
    .chain((count) => fc.array(fc.array(fc.nat(count - 1), { maxLength: 2 }), { minLength: count, maxLength: count }));
  fc.assert(
    fc.property(graphs, (edges) => {
      const { count, entry, first, end, edgeStart, edges: ordered, loopEnd } = order(edges, into);
      const found = Array.from(first.subarray(0, count), (at) => at / LENGTH);
      expect([...found].sort((a, b) => a - b)).toEqual([...edges.keys()]);
      expect(found[entry]).toBe(0);
      const loopOf: number[] = [];
      for (let block = 0; block < count; block++) {
        loopOf.push(block > 0 && loopEnd[loopOf[block - 1]!]! >= block ? loopOf[block - 1]! : block);
      }
      for (const [number, block] of found.entries()) {
        expect(end[number]).toBe(LENGTH * (block + 1));
        const to = [...ordered.subarray(edgeStart[number]!, edgeStart[number + 1]!)];
        expect(to.map((other) => found[other])).toEqual(edges[block]);
        for (const other of to) expect(other > number || loopEnd[loopOf[other]!]! >= number).toBe(true);
        for (const [other, otherBlock] of found.entries()) {
          const areOneLoop = reaches(edges, block, otherBlock) && reaches(edges, otherBlock, block);
          expect(loopOf[number] === loopOf[other] && loopEnd[loopOf[number]!]! >= 0).toBe(areOneLoop);
        }
      }
    }),
  );
});

/** Does a way of at least one edge lead from one block to another? */
function reaches(edges: readonly (readonly number[])[], from: number, to: number): boolean {
  const reached = new Set<number>();
  const left = [...edges[from]!];
  for (let block = left.pop(); block !== undefined; block = left.pop()) {
    if (reached.has(block)) continue;
    reached.add(block);
    left.push(...edges[block]!);
  }
  return reached.has(to);
}
