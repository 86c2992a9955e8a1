/**
 * The model of the pool against a real one: threads of a guest come by known laws and hold extra stacks for known times; spillway.ko counts,
 * and the simulation predicts. SPILLWAY_LAB_KEEP=DIR keeps what the module counted, for `spillway simulate guard`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compareWithGuard, erlangB, type GuardCounts, simulatePool } from "@spillway/core";
import { beforeAll, expect, test } from "vitest";
import { ensureLab } from "../src/ensure-lab.ts";
import { runGuardScript } from "../src/guard-guest.ts";
import { GUEST_TIMEOUT_MS, TEST_TIMEOUT_MS } from "./guard-lab.ts";

const STACKS = 5;
/** A second, and in seconds: 2 erlang. */
const RATE = 200;
const HOLD = 0.01;
const CALLS = 2500;

interface Observed {
  readonly counts: GuardCounts;
  /** What the threads saw themselves. */
  readonly calls: readonly { readonly time: number; readonly hold: number; readonly refused: boolean }[];
}

const observed = new Map<string, Observed>();

function pairs(text: string): [number, number][] {
  return [...text.matchAll(/^(\d+) (\d+)$/gm)].map(([, one, other]) => [Number(one), Number(other)]);
}

function parse(text: string): Observed {
  const counter = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(text)![1]);
  const section = (from: string, to: string) => text.slice(text.indexOf(from), text.indexOf(to));
  const occupancy: number[] = new Array(STACKS + 1).fill(0);
  for (const [stacks, count] of pairs(section("occupancy", "held"))) occupancy[stacks] = count;
  const hold = pairs(section("held", "end")).map(([from, count]) => ({ low: from * 1e-9, high: from * 2e-9, count }));
  const calls = [...text.matchAll(/^task (\d+) (\d+) (\d)$/gm)].map(([, time, hold, refused]) => ({
    time: Number(time) / 1e6,
    hold: Number(hold) / 1e6,
    refused: refused === "1",
  }));
  const counts = {
    stacks: counter("total"),
    switches: counter("switches"),
    refusals: counter("refusals"),
    highWater: counter("high_water"),
    hold,
    occupancy,
  };
  return { counts, calls };
}

beforeAll(async () => {
  const target = (await ensureLab(["6.1"], ["qemu-elf"])).get("6.1")!;
  const one = (name: string, how: string) => `
insmod /spillway.ko stacks=${STACKS} points=vfs_read
echo "run ${name}"; tasks ${CALLS} ${RATE} ${HOLD * 1000} ${how}
state total switches refusals high_water; echo occupancy; cat $S/occupancy; echo held; cat $S/hold_ns; echo end
until_true unload`;
  const { console } = await runGuardScript(
    target.kernel,
    `${one("poisson", "1 1 7")}\n${one("bursts", `3 ${HOLD * 15_000} 8`)}`,
    { tasks: true, cpus: 2, timeoutMs: GUEST_TIMEOUT_MS },
  );
  for (const text of console.split(/^run /m).slice(1))
    observed.set(text.slice(0, text.indexOf("\n")).trim(), parse(text));
  if (process.env.SPILLWAY_LAB_KEEP !== undefined) {
    for (const [name, { counts }] of observed) {
      const status = {
        ...counts,
        total: counts.stacks,
        hold: counts.hold.map(({ low, count }) => ({ atLeastNs: Math.round(low * 1e9), count })),
        occupancy: counts.occupancy.map((count, stacks) => ({ stacks, count })),
      };
      writeFileSync(join(process.env.SPILLWAY_LAB_KEEP, `${name}.json`), JSON.stringify(status));
    }
  }
}, TEST_TIMEOUT_MS);

test.each(["poisson", "bursts"])("%s: the module refused whom the threads saw refused, and lost nobody", (name) => {
  const { counts, calls } = observed.get(name)!;
  expect(calls).toHaveLength(CALLS);
  expect(counts.refusals).toBe(calls.filter(({ refused }) => refused).length);
  expect(counts.switches).toBe(CALLS - counts.refusals);
  expect(counts.occupancy.reduce((sum, count) => sum + count, 0)).toBe(counts.switches);
  expect(counts.highWater).toBe(STACKS);
});

test.each(["poisson", "bursts"])(
  "%s: played these arrivals, the model refuses as many, within 1 in 100 of the calls",
  (name) => {
    const { counts, calls } = observed.get(name)!;
    const order = calls.toSorted((one, other) => one.time - other.time);
    const { refusal } = simulatePool(
      {
        stacks: STACKS,
        policy: "eio",
        arrivals: {
          kind: "trace",
          times: Float64Array.from(order, ({ time }) => time),
          holds: Float64Array.from(order, ({ hold }) => hold),
        },
        hold: { kind: "trace" },
        tasks: null,
        deep: 1,
        nest: 0,
        sleep: null,
        cpus: 1,
      },
      { events: CALLS, seed: 1 },
    );
    console.log(`${name}: ${counts.refusals} of ${CALLS} refused; the model, of the same arrivals: ${refusal.count}`);
    expect(Math.abs(refusal.count - counts.refusals)).toBeLessThan(CALLS / 100);
  },
);

test("poisson: the counters fit the model, and Erlang B; bursts: neither", () => {
  const [poisson, bursts] = ["poisson", "bursts"].map((name) => {
    const { counts, calls } = observed.get(name)!;
    const seconds = Math.max(...calls.map(({ time }) => time));
    return compareWithGuard(counts, seconds, { events: 1_000_000, seed: 1 });
  });
  expect(poisson!.verdict).toBe("fits");
  expect(poisson!.counted.meanHold / HOLD).toBeCloseTo(1, 0);
  expect(poisson!.counted.ci99[0]).toBeLessThanOrEqual(erlangB(poisson!.offeredErlang, STACKS));
  expect(poisson!.counted.ci99[1]).toBeGreaterThanOrEqual(erlangB(poisson!.offeredErlang, STACKS));
  for (const { counted, model } of poisson!.occupancy) expect(Math.abs(counted - model)).toBeLessThan(0.06);
  expect(bursts!.verdict).toBe("more");
  expect(bursts!.counted.refused).toBeGreaterThan(3 * erlangB(bursts!.offeredErlang, STACKS));
});
