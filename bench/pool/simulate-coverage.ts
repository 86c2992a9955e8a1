/**
 * Are the simulation's 99 % intervals honest? Of the intervals of many seeds, how many hold the truth, where the truth is known exactly.
 *
 *     node_modules/.bin/node bench/pool/simulate-coverage.ts [--seeds 300] [--json]
 */
import { parseArgs } from "node:util";
import { engset, erlangB, erlangC, erlangCWait, type HoldLaw, type PoolModel, simulatePool } from "@spillway/core";
import { burstyArrivals } from "../../packages/core/src/pool/simulate/laws.ts";
import { HOLD_LAWS, pool } from "../../packages/core/src/pool/simulate/models.fixture.ts";
import { refusedMmpp } from "../../packages/core/src/pool/simulate/reference.fixture.ts";
import { textTable } from "../lib/table.ts";

const EVENTS = [5_000, 20_000, 100_000] as const;

type Interval = readonly [low: number, high: number];

interface Case {
  readonly name: string;
  readonly model: PoolModel;
  readonly truth: number;
  readonly interval: "refusal" | "waits" | "wait";
}

const law = (name: string): HoldLaw => HOLD_LAWS.find(([law]) => law === name)![1];
const losing = (load: number, stacks: number, hold: string): Case => ({
  name: `Erlang B, ${load} erlang, ${stacks} stacks, ${hold}`,
  model: pool(stacks, load, { hold: law(hold) }),
  truth: erlangB(load, stacks),
  interval: "refusal",
});
const bursts = (stacks: number): Case => {
  const arrivals = burstyArrivals(2, 3, 15);
  if (arrivals.kind !== "mmpp") throw new Error("bursts are an MMPP");
  const truth = refusedMmpp(arrivals.phases, stacks);
  return { name: `bursty:2,3,15s, ${stacks} stacks`, model: pool(stacks, 2, { arrivals }), truth, interval: "refusal" };
};

const CASES: readonly Case[] = [
  losing(8, 10, "exponential"),
  losing(8, 10, "deterministic"),
  losing(2, 5, "lognormal"),
  losing(2, 5, "hyperexponential"),
  losing(20, 22, "hyperexponential"),
  losing(2, 9, "exponential"),
  {
    name: "Engset, 12 tasks, 4 stacks, hyperexponential",
    model: pool(4, 0.45, { tasks: 12, hold: law("hyperexponential") }),
    truth: engset(12, 0.45, 4),
    interval: "refusal",
  },
  bursts(5),
  bursts(10),
  bursts(14),
  {
    name: "Erlang C, 4.5 erlang, 5 stacks: who waits",
    model: pool(5, 4.5, { policy: "sleep" }),
    truth: erlangC(4.5, 5),
    interval: "waits",
  },
  {
    name: "Erlang C, 2 erlang, 5 stacks: mean wait",
    model: pool(5, 2, { policy: "sleep" }),
    truth: erlangCWait(2, 5, 1),
    interval: "wait",
  },
];

function intervalOf({ model, interval }: Case, events: number, seed: number): Interval {
  const { refusal, wait } = simulatePool(model, { events, seed });
  if (interval === "refusal") return refusal.ci99;
  return interval === "waits" ? wait!.probabilityCi99 : wait!.ci99;
}

const { values } = parseArgs({ options: { seeds: { type: "string", default: "300" }, json: { type: "boolean" } } });
const seeds = Math.max(1, Number(values.seeds) || 300);
const rows = CASES.map((one) => ({
  name: one.name,
  truth: one.truth,
  held: EVENTS.map((events) => {
    let held = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const [low, high] = intervalOf(one, events, seed);
      if (low <= one.truth && one.truth <= high) held++;
    }
    return held / seeds;
  }),
}));

if (values.json) console.log(JSON.stringify({ seeds, events: EVENTS, rows }, null, 2));
else {
  const titles = ["truth", ...EVENTS.map((events) => `${events} events`)];
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  console.log(
    textTable(
      [{ title: "case", align: "left" }, ...titles.map((title) => ({ title, align: "right" as const }))],
      rows.map(({ name, truth, held }) => [name, truth.toPrecision(3), ...held.map(percent)]),
    ),
  );
}
