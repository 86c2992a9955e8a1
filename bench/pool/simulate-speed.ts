/**
 * Events a second: Spillway's simulation of a pool beside SimJS, a simulator of discrete events from npm that keeps its events in a binary heap.
 * Both simulate the same: Poisson arrivals, exponential hold times, a call that fails where no stack is free; random numbers come from the same
 * generator. An event is an arrival or a return. The two take turns in one process, which has one thread that works: seconds are of its CPU time.
 * Medians.
 *
 *     node_modules/.bin/node bench/pool/simulate-speed.ts [--runs 5] [--json]
 */
import { parseArgs } from "node:util";
import { erlangB, simulatePool } from "@spillway/core";
import { randomStreams } from "../../packages/core/src/pool/random/random-stream.ts";
import { median } from "../lib/stats.ts";
import { textTable } from "../lib/table.ts";

/** The part of SimJS that is used here. */
interface SimJs {
  Sim: new () => {
    addEntity(entity: unknown): unknown;
    simulate(until: number): void;
  };
  Entity: new (
    ...args: never[]
  ) => {
    setTimer(delay: number): { done(callback: () => void): unknown };
  };
}

interface Measured {
  readonly eventsPerSecond: number;
  readonly refused: number;
}

const CASES = [
  { load: 8, stacks: 10 },
  { load: 100, stacks: 110 },
  { load: 900, stacks: 950 },
] as const;
const EVENTS = 10_000_000;
const PEER_EVENTS = 1_000_000;

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

function ours(load: number, stacks: number, seed: number): Measured {
  const began = process.cpuUsage();
  const { refusal, run } = simulatePool(
    {
      stacks,
      policy: "eio",
      arrivals: { kind: "poisson", rate: load },
      hold: { kind: "exponential", mean: 1 },
      tasks: null,
      deep: 1,
      nest: 0,
      sleep: null,
      cpus: 1,
    },
    { events: EVENTS, seed },
  );
  const seconds = cpuSeconds(began);
  return { eventsPerSecond: (run.events + run.warmupEvents) / seconds, refused: refusal.probability ?? Number.NaN };
}

function peers(simJs: SimJs, load: number, stacks: number, seed: number): Measured {
  const [arrivals, holds] = randomStreams(seed, 2);
  let free = stacks;
  let attempts = 0;
  let refused = 0;
  let events = 0;
  class Tasks extends simJs.Entity {
    start(): void {
      this.setTimer(arrivals!.exponential() / load).done(this.arrive);
    }
    arrive(): void {
      events++;
      attempts++;
      if (free === 0) refused++;
      else {
        free--;
        this.setTimer(holds!.exponential()).done(this.giveBack);
      }
      this.setTimer(arrivals!.exponential() / load).done(this.arrive);
    }
    giveBack(): void {
      events++;
      free++;
    }
  }
  const sim = new simJs.Sim();
  sim.addEntity(Tasks);
  const began = process.cpuUsage();
  sim.simulate(PEER_EVENTS / (2 * load));
  return { eventsPerSecond: events / cpuSeconds(began), refused: refused / attempts };
}

const { values } = parseArgs({ options: { runs: { type: "string", default: "5" }, json: { type: "boolean" } } });
const runs = Math.max(1, Number(values.runs) || 5);

// It is made for browsers, and leaves its names in `window`.
const world = globalThis as unknown as { window?: unknown; Sim?: SimJs };
world.window = globalThis;
const name: string = "simjs";
await import(name);
const simJs = world.Sim!;

const rows = CASES.map(({ load, stacks }) => {
  const mine: Measured[] = [];
  const theirs: Measured[] = [];
  for (let run = 0; run <= runs; run++) {
    const [one, other] = [ours(load, stacks, run), peers(simJs, load, stacks, run)];
    // The first run of each warms the engine up.
    if (run > 0) mine.push(one) && theirs.push(other);
  }
  const speeds = (all: Measured[]) => median(all.map(({ eventsPerSecond }) => eventsPerSecond));
  const refused = (all: Measured[]) => median(all.map(({ refused }) => refused));
  return {
    load,
    stacks,
    spillway: speeds(mine),
    simjs: speeds(theirs),
    ratio: speeds(mine) / speeds(theirs),
    refused: { spillway: refused(mine), simjs: refused(theirs), erlangB: erlangB(load, stacks) },
  };
});

if (values.json) console.log(JSON.stringify({ runs, rows }, null, 2));
else {
  const titles = ["erlang", "stacks", "Spillway", "SimJS", "ratio", "refused: Spillway", "SimJS", "Erlang B"];
  const million = (value: number) => `${(value / 1e6).toFixed(2)} M/s`;
  console.log(
    textTable(
      titles.map((title) => ({ title, align: "right" })),
      rows.map(({ load, stacks, spillway, simjs, ratio, refused }) => [
        `${load}`,
        `${stacks}`,
        million(spillway),
        million(simjs),
        `${ratio.toFixed(1)} x`,
        ...[refused.spillway, refused.simjs, refused.erlangB].map((value) => value.toFixed(5)),
      ]),
    ),
  );
}
