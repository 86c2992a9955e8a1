import { describe, expect, test } from "vitest";
import { createBudget } from "./budget.ts";
import { budgetProgram } from "./budget-program.fixture.ts";
import { graphOf } from "./call-graph.fixture.ts";
import { parseGrownFrames, withGrownFrames } from "./grown-frames.ts";

const graph = graphOf(`
  write 40: vfs_write+40
  vfs_write 80: *ops.write+72, tail unlock
  unlock 16:
  one 300: alloc+280
  two 320:
  alloc 64: alloc+64
  {ops.write}: one two
`);
const options = { entries: ["write"], rounds: 1 };
const budget = createBudget(budgetProgram(), graph, options);
const bytes = (frames: string) => withGrownFrames(budget, parseGrownFrames(frames), options).path("write").bytes;

test.each([
  ["a frame on the deepest path", "vfs_write=100", 100],
  ["two of them", "vfs_write=100,write=8", 108],
  ["one that is not on it and stays below", "two=16", 0],
  ["one that makes another path the deepest", "two=488", 320 + 488 - 280 - 64 - 64],
  ["one that the path enters as often as it goes round", "alloc=10", 20],
  ["what a jump leaves is no part of it", "unlock=8", 0],
])("%s costs what it adds: %s", (_, frames, more) => {
  expect(bytes(frames) - budget.path("write").bytes).toBe(more);
});

test("the budget itself stays as it is, and the other one says what was supposed", () => {
  const before = budget.document();
  const grown = withGrownFrames(budget, parseGrownFrames("vfs_write=100"), options).document();
  expect(budget.document()).toEqual(before);
  expect(grown.problems).toEqual(["the frame of vfs_write is taken to be 100 bytes larger than it is"]);
  const of = (document: typeof before) => document.functions.find(({ name }) => name === "vfs_write");
  expect(of(grown)?.frameBytes).toBe(180);
  expect(of(grown)?.calls.map(({ depthBytes }) => depthBytes)).toEqual([172, 0]);
});

describe("refused", () => {
  test.each(["vfs_write", "vfs_write=", "vfs_write=-8", "vfs_write=1e3", "=8", "", "vfs_write=9999999"])(
    "%j",
    (list) => {
      expect(() => parseGrownFrames(list)).toThrow("is not a function and how many bytes its frame grows by");
    },
  );

  test("a function that is not there", () => {
    expect(() => bytes("nobody=8")).toThrow("there is no function nobody");
  });
});
