import { expect, test } from "vitest";
import { wordOf } from "../../testing/stack-maps.ts";
import { quietRuns } from "./words-table.ts";

const quiet = (count: number) => Array.from({ length: count }, (_, index) => wordOf(BigInt(index * 8)));
const loud = wordOf(0x1000n, { evidence: ["canary-mismatch"] });

/** Lengths of the runs, those in brackets behind a line. */
const runs = (...words: ReturnType<typeof quiet>) =>
  quietRuns(words).map((run) => (run.quiet ? `[${run.words.length}]` : `${run.words.length}`));

test.each<[string, ReturnType<typeof quiet>, string[]]>([
  ["a short run is shown", quiet(9), ["9"]],
  ["the middle of a long one is not", quiet(30), ["3", "[24]", "3"]],
  ["nor is it before a word that says something", [...quiet(12), loud], ["3", "[6]", "4"]],
  ["words with a meaning end a run", [...quiet(6), loud, ...quiet(6)], ["13"]],
  ["two long runs", [...quiet(10), loud, ...quiet(10)], ["3", "[4]", "7", "[4]", "3"]],
  ["no words", [], []],
])("%s", (_name, words, expected) => {
  expect(runs(...words)).toEqual(expected);
  expect(quietRuns(words).flatMap((run) => run.words)).toEqual(words);
});
