import { SpillwayError } from "@spillway/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseLine } from "./parse-line.ts";

test.each<[string, ...[string[], string | null][]]>([
  [""],
  ["  ;; "],
  ["# bt -a"],
  ["bt", [["bt"], null]],
  ["bt -a; log -T", [["bt", "-a"], null], [["log", "-T"], null]],
  ["bt;log;", [["bt"], null], [["log"], null]],
  ["log | grep -i 'a;b' | wc -l", [["log"], "grep -i 'a;b' | wc -l"]],
  ["log | grep x; bt", [["log"], "grep x"], [["bt"], null]],
  ["log > /tmp/out", [["log"], "> /tmp/out"]],
  ["log>>out", [["log"], ">>out"]],
  ["log | tail > out; sys", [["log"], "tail > out"], [["sys"], null]],
  ["sym -q 'a|b > c'", [["sym", "-q", "a|b > c"], null]],
  ['sym -q "it\'s" \\; x\\ y ""', [["sym", "-q", "it's", ";", "x y", ""], null]],
  ["rd linux_banner # no comment inside", [["rd", "linux_banner", "#", "no", "comment", "inside"], null]],
])("%s", (line, ...expected) => {
  expect(parseLine(line)).toEqual(expected.map(([words, sink]) => ({ words, sink, system: null })));
});

test("a line for sh alone", () => {
  expect(parseLine(" ! ls -l | wc; date")).toEqual([{ words: [], sink: null, system: "ls -l | wc; date" }]);
});

test.each([
  ["bt 'x", "the ' is not closed"],
  ["| grep x", 'no command before "| grep x"'],
  ["bt; > out", 'no command before "> out"'],
  ["bt |", 'nothing after "|"'],
  ["bt >>; log", 'nothing after ">>"'],
])("%s is refused", (line, message) => {
  expect(() => parseLine(line)).toThrow(message);
});

test("any line ends, and words come back as they were quoted", () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      try {
        parseLine(line);
      } catch (error) {
        expect(error).toBeInstanceOf(SpillwayError);
      }
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
      const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
      expect(parseLine(line)).toEqual([{ words, sink: null, system: null }]);
    }),
  );
});
