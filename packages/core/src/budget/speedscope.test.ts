import { expect, test } from "vitest";
import type { PathStep } from "./budget-document.ts";
import { toSpeedscope } from "./speedscope.ts";

function step(name: string, bytes: number, module: string | null = null): PathStep {
  return { function: name, module, bytes, certainty: "proven", offset: 0, slot: null, cut: false };
}

test("a path is as wide as its bytes, each function from its frame to the path's end", () => {
  const file = toSpeedscope("6.1", "spillway", [
    { name: "write", baseBytes: 168, steps: [step("write", 40), step("hop", 0), step("ext4_write", 96, "ext4")] },
    { name: "read", baseBytes: 0, steps: [step("read", 32), step("ext4_write", 96, "ext4")] },
  ]);
  expect(file.shared.frames).toEqual([
    { name: "(in use at the entry)" },
    { name: "write" },
    { name: "hop" },
    { name: "ext4_write", file: "ext4" },
    { name: "read" },
  ]);
  expect(file.profiles.map(({ name, endValue, samples, weights }) => ({ name, endValue, samples, weights }))).toEqual([
    // A tail jump takes no bytes: no sample of its own, but it is on the stack of what follows.
    { name: "write", endValue: 304, samples: [[0], [0, 1], [0, 1, 2, 3]], weights: [168, 40, 96] },
    { name: "read", endValue: 128, samples: [[4], [4, 3]], weights: [32, 96] },
  ]);
});
