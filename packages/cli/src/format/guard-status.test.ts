import type { GuardState } from "@spillway/guard";
import { expect, test } from "vitest";
import { recorder } from "../testing/recorder.ts";
import { bar, formatNs, formatStatus, formatStatusLine, holdWithin } from "./guard-status.ts";

const state: GuardState = {
  total: 4,
  free: 3,
  inUse: 1,
  highWater: 3,
  thresholdBytes: 8192,
  switches: 24,
  refusals: 0,
  points: [
    { name: "kernel_write", calls: 1248, switches: 24, refusals: 0, deepestBytes: 8728, mode: "direct" },
    { name: "vfs_write", calls: 16, switches: 0, refusals: 0, deepestBytes: 0, mode: "ipmodify" },
  ],
  stackBytes: 16384,
  draining: false,
  migrated: 0,
  reaped: 0,
  deepestBytes: 8904,
  occupancy: [{ stacks: 1, count: 24 }],
  hold: [
    { atLeastNs: 1954, count: 12 },
    { atLeastNs: 250133, count: 12 },
  ],
  moduleVersion: "0.1.0",
  kernel: "6.1.0-57-amd64",
};

test("the state for a person", () => {
  expect(formatStatus(state, recorder())).toBe(`  spillway.ko 0.1.0 · kernel 6.1.0-57-amd64

  stacks     1 of 4 in use  ████············  3 free, at most 3 at once
  threshold  8,192 of 16,384 bytes
  switches   24
  refusals   0
  deepest    8,904 bytes of an extra stack  █████████·······
  held       half under 3.9 µs, 99 % under 500 µs, all under 500 µs

  point              calls  switches  refusals  deepest stack
  kernel_write       1,248        24         0   8,728  █████████·······
  vfs_write             16         0         0       0  ················  ipmodify
`);
});

test("what is new since, what is wrong, and who is on a stack", () => {
  const now = { ...state, switches: 30, refusals: 2, draining: true, migrated: 3, reaped: 1 };
  const tasks = [{ pid: 70, name: "flow", levels: 2, waitsIn: "io_wait" }];
  const text = formatStatus({ ...now, tasks }, recorder({ unicode: false }), state);
  expect(text).toContain("  switches   30 (+6)\n  refusals   2 (+2)  calls that failed with EIO: the pool was empty\n");
  expect(text).toContain("  migrated   3 came back on another CPU\n  reaped     1 stacks of tasks that died on them\n");
  expect(text).toContain("  draining   nobody switches");
  expect(text).toContain("       PID  task             stacks\n        70  flow                  2  in io_wait\n");
  expect(text).toMatch(/^[\n -~]*$/);
});

test("a line of a log", () => {
  const time = new Date("2026-11-29T18:57:39.500Z");
  expect(formatStatusLine(state, null, time)).toBe(
    "2026-11-29T18:57:39Z in use 1/4 (at most 3), switches 24, refusals 0\n",
  );
  expect(formatStatusLine({ ...state, switches: 1024, draining: true }, state, time)).toBe(
    "2026-11-29T18:57:39Z in use 1/4 (at most 3), switches 1024 (+1,000), refusals 0, draining\n",
  );
});

test.each([
  [0, 4, "····"],
  [1, 1000, "█···"],
  [2, 4, "██··"],
  [9, 4, "████"],
  [1, 0, "····"],
])("bar of %d of %d", (part, whole, expected) => {
  expect(bar(part, whole, 4, true)).toBe(expected);
});

test.each([
  [0, "0 ns"],
  [512, "512 ns"],
  [3908, "3.9 µs"],
  [500_266, "500 µs"],
  [2_000_000, "2 ms"],
  [61_000_000_000, "61 s"],
])("%d ns is %s", (ns, expected) => {
  expect(formatNs(ns, true)).toBe(expected);
});

test("shares of the hold times", () => {
  expect(holdWithin([], 0.5)).toBeNull();
  expect([0.5, 0.51, 1].map((share) => holdWithin(state.hold, share))).toEqual([3908, 500_266, 500_266]);
});
