import fc from "fast-check";
import { expect, test } from "vitest";
import { readFtrace } from "./ftrace.ts";
import { compareWithGuard } from "./guard-comparison.ts";
import { readGuardCounts, readHoldBins } from "./guard-export.ts";
import { meanHold } from "./laws.ts";
import { pool } from "./models.fixture.ts";
import { simulatePool } from "./simulate-pool.ts";

const PROBES = `# tracer: nop
#
# entries-in-buffer/entries-written: 7/7   #P:2
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
             cat-812     [001] .....    52.000000: p_vfs_read_0: (vfs_read+0x0/0x3f0)
     kworker/0:1-17      [000] d..2.    52.250000: p_vfs_write_0: (vfs_write+0x4/0x3f0 [spillway])
 tmux: server-99         [000] .....    52.500000: r_vfs_read_0: (ksys_read+0x6b/0xf0 <- vfs_read)
             cat-812     [001] .....    53.000000: r_vfs_read_0: (ksys_read+0x6b/0xf0 <- vfs_read)
           <idle>-0       [000] d..2.    53.100000: sched_switch: prev_comm=swapper/0 prev_pid=0 ==> next_comm=cat
     kworker/0:1-17      [001] .....    53.750000: r_vfs_write_0: (ksys_write+0x6b/0xf0 <- vfs_write)
             cat-812     [001] .....    54.000000: p_vfs_read_0: (vfs_read+0x0/0x3f0)
`;

const GRAPH = `# tracer: function_graph
#
#     TIME        CPU  TASK/PID         DURATION                  FUNCTION CALLS
#      |          |     |    |           |   |                     |   |   |   |
   52.104713 |   1)  cat-812      | + 18.204 us   |  vfs_read();
   52.204713 |   0)  kworker-17   | ! 250.000 us  |  vfs_write();
   52.304713 |   0)    1.000 us   |  vfs_read(file=0xffff888100, count=64); /* = 0x40 */
   52.404713 |   0)  cat-812      |               |  vfs_read() {
 ------------------------------------------
`;

const FUNCTION = `             cat-812     [001] .....    52.000000: vfs_read <-ksys_read
             cat-812     [001] .....    52.500000: vfs_write <-ksys_write
`;

test.each([
  ["probes: an arrival and its return, of one task", PROBES, null, [0, 0.25], [1, 1.5], 1],
  ["probes of one function only", PROBES, ["vfs_write"], [0], [1.5], 0],
  ["function_graph's leaves", GRAPH, null, [0, 0.1, 0.2], [18.204e-6, 250e-6, 1e-6], 0],
  ["function: no hold times", FUNCTION, null, [0, 0.5], null, 2],
] as const)("%s", (_, text, points, times, holds, withoutReturn) => {
  const reading = readFtrace(text, "trace", {
    points: points === null ? null : new Set(points),
    holds: holds !== null,
  });
  expect([...reading.arrivals.times].map((time) => Number(time.toFixed(6)))).toEqual(times);
  const held = reading.arrivals.holds;
  expect(held === null ? null : [...held].map((hold) => Number(hold.toFixed(9)))).toEqual(holds);
  expect(reading.withoutReturn).toBe(withoutReturn);
});

test("arrivals without a return count where hold times come from elsewhere, and only there", () => {
  const [without, withHolds] = [false, true].map((holds) => readFtrace(PROBES, "trace", { points: null, holds }));
  expect([...without!.arrivals.times]).toEqual([0, 0.25, 2]);
  expect(without!.arrivals.holds).toBe(null);
  expect([...withHolds!.arrivals.times]).toEqual([0, 0.25]);
  expect(() => readFtrace(FUNCTION, "trace", { points: null, holds: true })).toThrow(
    "no arrival in it has a hold time",
  );
});

test("what is no arrival is counted and passed over", () => {
  const { linesRead, linesPassedOver } = readFtrace(PROBES, "trace", { points: null, holds: false });
  expect([linesRead, linesPassedOver]).toEqual([6, 7]);
});

test.each(["", "\n\n", "hello", "# tracer: nop\n", GRAPH.slice(0, 200)])("no arrivals in %j", (text) => {
  expect(() => readFtrace(text, "t.txt", { points: null, holds: false })).toThrow(
    expect.objectContaining({ code: "SPW_SIMULATE_BAD_FILE" }),
  );
});

test("damaged recordings are read as far as they go, or refused; never worse", () => {
  const lines = fc.constantFrom(...`${PROBES}${GRAPH}${FUNCTION}`.split("\n"));
  const damaged = fc.tuple(lines, fc.nat(80), fc.string({ maxLength: 8 })).map(([line, at, noise]) => {
    return line.slice(0, at) + noise + line.slice(at + noise.length);
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(lines, damaged), { maxLength: 60 }), fc.boolean(), (rows, wanted) => {
      let reading: ReturnType<typeof readFtrace>;
      try {
        reading = readFtrace(rows.join("\n"), "trace", { points: null, holds: wanted });
      } catch (error) {
        expect(error).toMatchObject({ code: "SPW_SIMULATE_BAD_FILE" });
        return;
      }
      const { times, holds } = reading.arrivals;
      expect([...times]).toEqual([...times].sort((one, other) => one - other));
      expect(times[0]).toBe(0);
      expect(holds?.every((hold) => hold >= 0) ?? true).toBe(true);
      const hold = holds === null ? ({ kind: "deterministic", mean: 1 } as const) : ({ kind: "trace" } as const);
      const { run } = simulatePool(pool(2, 1, { arrivals: reading.arrivals, hold }), { events: 1000, seed: 1 });
      expect(run.attempts).toBe(times.length);
    }),
  );
});

const STATUS = JSON.stringify({
  total: 4,
  switches: 100,
  refusals: 5,
  highWater: 3,
  hold: [
    { atLeastNs: 1024, count: 60 },
    { atLeastNs: 2048, count: 40 },
    { atLeastNs: 4096, count: 0 },
  ],
  occupancy: [
    { stacks: 1, count: 80 },
    { stacks: 3, count: 20 },
  ],
});

test("hold times out of the guard's status, or out of the module's file: bins that double", () => {
  const bins = [
    { low: 1024e-9, high: 2048e-9, count: 60 },
    { low: 2048e-9, high: 4096e-9, count: 40 },
  ];
  const close = (found: readonly { low: number; high: number; count: number }[]) => {
    expect(found.map(({ count }) => count)).toEqual([60, 40]);
    found.forEach(({ low, high }, index) => {
      expect(low).toBeCloseTo(bins[index]!.low, 15);
      expect(high).toBeCloseTo(bins[index]!.high, 15);
    });
  };
  close(readHoldBins(STATUS, "status.json"));
  close(readHoldBins("1024 60\n2048 40\n4096 0\n", "hold_ns"));
  const mean = meanHold({ kind: "empirical", bins: readHoldBins(STATUS, "status.json") })!;
  expect(mean).toBeCloseTo((0.6 * 1024e-9 + 0.4 * 2048e-9) / Math.LN2, 15);
});

test("counts out of the guard's status", () => {
  expect(readGuardCounts(STATUS, "status.json")).toMatchObject({
    stacks: 4,
    switches: 100,
    refusals: 5,
    highWater: 3,
    occupancy: [0, 80, 0, 20],
  });
});

test.each(["", "{", "{}", "[]", "null", '{"hold": 3}', '{"hold": [{"atLeastNs": -1, "count": 1e999}]}', "a b\n"])(
  "no hold times, no counts in %j",
  (text) => {
    expect(() => readHoldBins(text, "x")).toThrow(expect.objectContaining({ code: "SPW_SIMULATE_BAD_FILE" }));
    expect(() => readGuardCounts(text, "x")).toThrow(expect.objectContaining({ code: "SPW_SIMULATE_BAD_FILE" }));
  },
);

/** What a module of 5 stacks would have counted of 2 erlang, with exponential hold times of mean 10 ms. */
function counted(refusals: number) {
  const bins = Array.from({ length: 12 }, (_, index) => {
    const [low, high] = [0.0001 * 2 ** index, 0.0001 * 2 ** (index + 1)];
    return { low, high, count: Math.round(10_000 * (Math.exp(-low / 0.01) - Math.exp(-high / 0.01))) };
  });
  return {
    stacks: 5,
    switches: 10_000,
    refusals,
    highWater: 5,
    hold: bins,
    occupancy: [0, 1429, 2857, 2857, 1905, 952],
  };
}

test.each([
  ["what a Poisson process would have", 381, null, "fits"],
  ["the same, where the time is known", 381, 10_381 / 200, "fits"],
  ["ten times as many refusals", 3810, 13_810 / 200, "more"],
  ["none at all", 0, 50, "fewer"],
] as const)("counters of a guard, beside the model: %s", (_, refusals, seconds, verdict) => {
  const comparison = compareWithGuard(counted(refusals), seconds, { events: 200_000, seed: 1 });
  expect(comparison.verdict).toBe(verdict);
  expect(comparison.offeredErlang).toBeCloseTo(2, 0);
  expect(comparison.occupancy.map(({ stacks }) => stacks)).toEqual([1, 2, 3, 4, 5]);
  for (const { counted, model } of comparison.occupancy) expect(Math.abs(counted - model)).toBeLessThan(0.03);
});

test("a guard that counted nothing can be compared with nothing", () => {
  const empty = { ...counted(0), switches: 0 };
  expect(() => compareWithGuard(empty, null, { events: 1000, seed: 1 })).toThrow("counted no switches yet");
});
