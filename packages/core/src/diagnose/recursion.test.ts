import { describe, expect, it } from "vitest";
import type { Frame } from "../unwind/backtrace.ts";
import { findCycle, findIrregularRecursion } from "./recursion.ts";

/** Frames of 64 bytes each, one a letter. */
function frames(text: string): Frame[] {
  return [...text].map(
    (letter, index) =>
      ({
        function: letter,
        start: BigInt(letter.charCodeAt(0)),
        sp: BigInt(index * 64),
        cfa: BigInt(index * 64 + 64),
      }) as Frame,
  );
}

describe("findCycle", () => {
  it.each([
    ["abcdef", null, "no repetition"],
    ["aab", null, "two turns are nesting"],
    ["aaaaaz", { functions: ["a"], first: 0, turns: 5, bytesPerTurn: 64 }, "direct recursion"],
    ["lmababababyz", { functions: ["a", "b"], first: 2, turns: 4, bytesPerTurn: 128 }, "a cycle under innocent leaves"],
    ["xabcabcabcab", { functions: ["a", "b", "c"], first: 1, turns: 3, bytesPerTurn: 192 }, "a last turn cut short"],
    ["aaabcbcbcbcbcbc", { functions: ["b", "c"], first: 3, turns: 6, bytesPerTurn: 128 }, "the one that takes most"],
    [
      "aabaabaabaab",
      { functions: ["a", "a", "b"], first: 0, turns: 4, bytesPerTurn: 192 },
      "a cycle that calls one function twice",
    ],
  ])("%s: %o (%s)", (text, expected, _what) => {
    const cycle = findCycle(frames(text));
    if (expected === null) expect(cycle).toBeNull();
    else expect(cycle).toMatchObject(expected);
  });
});

describe("findIrregularRecursion", () => {
  it.each([
    ["abaababbabaz", { functions: ["a", "b"], first: 0, turns: 6, length: 11 }, "two functions in no fixed order"],
    ["xyabbaabbaba", { functions: ["a", "b"], first: 2, turns: 5 }, "under innocent leaves"],
    ["abcdefghijkl", null, "nothing comes back"],
    ["abcdaefgahijklmnopq", null, "one function now and then"],
  ])("%s: %o (%s)", (text, expected, _what) => {
    const cycle = findIrregularRecursion(frames(text));
    if (expected === null) expect(cycle).toBeNull();
    else expect(cycle).toMatchObject(expected);
  });
});
