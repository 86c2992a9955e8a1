/**
 * States a second and bytes a state: `spillway check` beside SPIN, on the same models, in the same run, taking turns. SPIN's verifier
 * is compiled with -O2 and neither reduces (NOREDUCE; here --no-symmetry), so that both go through the same states; whether they do is
 * checked. Seconds are of the CPU, medians of the runs.
 *
 *     node_modules/.bin/node bench/pool/check-speed.ts [--runs 3] [--json]
 *
 * Needs spin and gcc. SPIN keeps its hash table at 2**24 places, as many as fit the largest model here.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { changeModel, checkModel, type Model, PRESETS, parseModel, toPromela } from "../../packages/core/src/index.ts";
import { median } from "../lib/stats.ts";
import { textTable } from "../lib/table.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "3" }, json: { type: "boolean", default: false } },
});

/** Models of one to a few million states. */
const CASES = [
  { preset: "rfc-eio", stacks: 4, tasks: { writer: 8, flusher: 2 } },
  { preset: "nested-eio", stacks: 4, tasks: { nested: 8 } },
  { preset: "rfc-sleep-fixed", stacks: 3, tasks: { writer: 8, flusher: 3 } },
] as const;

interface Measured {
  readonly distinct: number;
  readonly states: number;
  readonly seconds: number;
  /** Memory for states, bytes: ours all arrays, as long as they are at the end; SPIN's own "equivalent memory usage". */
  readonly bytes: number;
}

function modelOf({ preset, stacks, tasks }: (typeof CASES)[number]): Model {
  const model = parseModel(PRESETS.find(({ name }) => name === preset)!.text);
  return changeModel(model, { stacks, tasks: new Map(Object.entries(tasks)) });
}

function ours(model: Model): Measured {
  const began = process.cpuUsage();
  const { verdict, distinct, states, memoryBytes } = checkModel(model, { symmetry: false });
  const { user, system } = process.cpuUsage(began);
  if (verdict !== "holds") throw new Error(`the model does not hold: ${verdict}`);
  return { distinct, states, seconds: (user + system) / 1e6, bytes: memoryBytes };
}

function run(folder: string, program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  if (error !== undefined || status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`);
  return stdout;
}

function spin(folder: string): Measured {
  const out = run(folder, "bash", ["-c", 'TIMEFORMAT="cpu %U %S"; { time ./pan -m10000 -w24; } 2>&1']);
  const figure = (pattern: RegExp): number => Number(pattern.exec(out)?.[1] ?? Number.NaN);
  return {
    distinct: figure(/(\d+) states, stored/),
    states: figure(/(\d+) transitions/),
    seconds: figure(/cpu ([\d.]+)/) + figure(/cpu [\d.]+ ([\d.]+)/),
    bytes: figure(/([\d.]+)\s+equivalent memory usage/) * 1e6,
  };
}

const folder = mkdtempSync(join(tmpdir(), "spillway-spin-"));
const rows = [];
try {
  for (const one of CASES) {
    const model = modelOf(one);
    writeFileSync(join(folder, "model.pml"), toPromela(model));
    run(folder, "spin", ["-o2", "-a", "model.pml"]);
    run(folder, "gcc", ["-O2", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"]);
    const pairs = Array.from({ length: Number(values.runs) }, () => ({ us: ours(model), peer: spin(folder) }));
    const [{ us, peer }] = pairs as [(typeof pairs)[0]];
    if (us.distinct !== peer.distinct || us.states !== peer.states) {
      throw new Error(
        `${one.preset}: ${us.distinct} and ${us.states} here, ${peer.distinct} and ${peer.states} in SPIN`,
      );
    }
    const rate = (side: "us" | "peer"): number => median(pairs.map((pair) => pair[side].distinct / pair[side].seconds));
    rows.push({
      model: `${one.preset} ${Object.entries(one.tasks)
        .map(([name, count]) => `${name}=${count}`)
        .join(",")} stacks=${one.stacks}`,
      distinct: us.distinct,
      transitions: us.states,
      statesPerSecond: { spillway: rate("us"), spin: rate("peer") },
      bytesPerState: { spillway: us.bytes / us.distinct, spin: peer.bytes / peer.distinct },
    });
  }
} finally {
  rmSync(folder, { recursive: true });
}

if (values.json) console.log(JSON.stringify(rows, null, 2));
else {
  const right = (title: string) => ({ title, align: "right" as const });
  console.log(
    textTable(
      [
        { title: "model", align: "left" },
        ...["states", "transitions", "Spillway/s", "SPIN/s", "ratio", "bytes a state", "SPIN's"].map(right),
      ],
      rows.map(({ model, distinct, transitions, statesPerSecond: speed, bytesPerState: bytes }) => [
        model,
        distinct.toLocaleString("en"),
        transitions.toLocaleString("en"),
        Math.round(speed.spillway).toLocaleString("en"),
        Math.round(speed.spin).toLocaleString("en"),
        (speed.spillway / speed.spin).toFixed(2),
        bytes.spillway.toFixed(1),
        bytes.spin.toFixed(1),
      ]),
    ),
  );
}
