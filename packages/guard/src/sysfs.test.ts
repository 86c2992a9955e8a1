import { expect, test } from "vitest";
import { isLoaded, parsePairs, readState } from "./sysfs.ts";
import { fakeHost, GUARD_FILES } from "./testing/fake-host.ts";

test("the state of a loaded module", () => {
  expect(readState(fakeHost(GUARD_FILES))).toEqual({
    total: 4,
    free: 3,
    inUse: 1,
    highWater: 3,
    thresholdBytes: 8192,
    switches: 24,
    refusals: 2,
    points: [
      { name: "kernel_write", calls: 248, switches: 24, refusals: 2, deepestBytes: 8728, mode: "direct" },
      { name: "vfs_write", calls: 1024, switches: 0, refusals: 0, deepestBytes: 1280, mode: "ipmodify" },
    ],
    stackBytes: 16384,
    draining: false,
    migrated: 1,
    reaped: 0,
    deepestBytes: 8904,
    occupancy: [
      { stacks: 1, count: 8 },
      { stacks: 2, count: 8 },
      { stacks: 3, count: 8 },
    ],
    hold: [
      { atLeastNs: 1954, count: 3 },
      { atLeastNs: 3908, count: 13 },
      { atLeastNs: 250133, count: 8 },
    ],
    moduleVersion: "0.1.0",
    kernel: "6.1.0-57-amd64",
  });
});

test("what another release of the module does not count is null, what it must have is an error", () => {
  const { "/sys/kernel/spillway/migrated": _, ...without } = GUARD_FILES;
  expect(readState(fakeHost(without)).migrated).toBeNull();
  const broken = fakeHost({ ...GUARD_FILES, "/sys/kernel/spillway/threshold": "half\n" });
  expect(() => readState(broken)).toThrow(expect.objectContaining({ code: "SPW_GUARD_STATE_UNREADABLE" }));
});

test("no module", () => {
  const host = fakeHost({});
  expect(isLoaded(host)).toBe(false);
  expect(() => readState(host)).toThrow(expect.objectContaining({ code: "SPW_GUARD_NOT_LOADED", class: "missing" }));
});

test.each([
  [
    "1 8\n2 16\n",
    [
      [1, 8],
      [2, 16],
    ],
  ],
  ["", []],
  [
    "1 8\nnonsense\n-1 3\n4 5 6\n 7 8 \n",
    [
      [1, 8],
      [7, 8],
    ],
  ],
])("pairs of %j", (text, expected) => {
  expect(parsePairs(text)).toEqual(expected);
});
