import { describe, expect, it } from "vitest";
import { orderText } from "./order-text.ts";

describe("orderText", () => {
  it.each([
    ["a\nb\n", "a\nb\n", "nothing to do"],
    [
      "Oops#1 Part1\nlast\nOops#1 Part3\nfirst\nOops#1 Part2\nmiddle\n",
      "first\nmiddle\nlast\n",
      "pstore's parts run backwards",
    ],
    ["Oops#1 Part2\na\nOops#1 Part1\nb\nPanic#2 Part2\nc\nPanic#2 Part1\nd\n", "a\nb\nc\nd\n", "two dumps"],
    [
      "before\nOops#1 Part1\nb\nOops#1 Part2\na",
      "before\na\nb\n",
      "what stands before them stays; an end without a line end",
    ],
    ["Oops#1 Part1\nalone\n", "Oops#1 Part1\nalone\n", "one part"],
    [
      "6,416,1758426,-,ncfrag=0/33;the first chunk,\n6,416,1758426,-,ncfrag=16/33;the 2nd chunk.\n6,417,1758427,-;x\n",
      "6,416,1758426,-;the first chunk,the 2nd chunk.\n6,417,1758427,-;x\n",
      "netconsole's fragments",
    ],
  ])("%j: %j (%s)", (text, expected, _what) => {
    expect(orderText(text)).toBe(expected);
  });
});
