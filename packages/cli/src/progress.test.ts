import { expect, test } from "vitest";
import { Progress } from "./progress.ts";
import { recorder } from "./testing/recorder.ts";

/** What is written when `show` is called at these milliseconds. */
function shown(times: readonly number[], interactive = true): string[] {
  const terminal = { ...recorder(), interactive };
  let now = 0;
  const progress = new Progress(terminal, () => now);
  for (const time of times) {
    now = time;
    progress.show("reading", time, 4000);
  }
  progress.clear();
  return terminal.errors().split("\r\x1b[K").slice(1);
}

test.each<[string, number[], string[]]>([
  ["short work shows nothing", [0, 500, 999], []],
  ["long work shows a line, which is cleared", [500, 1000], ["reading 25 %", ""]],
  ["at most every 100 ms", [1000, 1050, 1100], ["reading 25 %", "reading 27 %", ""]],
])("%s", (_name, times, expected) => {
  expect(shown(times)).toEqual(expected);
});

test("nothing where nobody looks", () => {
  expect(shown([1000, 2000], false)).toEqual([]);
});
