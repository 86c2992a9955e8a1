/**
 * Mutated dumps of every format against the readers. They must be refused with a SpillwayError or open with every page in
 * a state, in little time and memory.
 *
 *   node bench/fuzz/fuzz.ts [--cases 10000] [--seed 1] [--only kdump-lzo]
 *
 * Cases are shared out over the formats. A failure prints what runs it alone: `--seed S --only NAME --cases 1`.
 */

import { parseArgs } from "node:util";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { seeds } from "./seeds.ts";
import { tryDump } from "./try-dump.ts";

/** Far above what any case takes (a few ms), so that a busy machine does not fail it. */
const MOST_MS = 2000;
const MOST_RSS = 512 << 20;

const { values } = parseArgs({
  options: { cases: { type: "string" }, seed: { type: "string" }, only: { type: "string" } },
});
const cases = Number(values.cases ?? 10_000);
const firstSeed = Number(values.seed ?? 1);
const formats = seeds().filter((seed) => values.only === undefined || seed.name === values.only);
if (formats.length === 0 || !(cases > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error(
    `usage: fuzz.ts [--cases N] [--seed S] [--only ${seeds()
      .map((seed) => seed.name)
      .join("|")}]`,
  );
  process.exit(2);
}

let failures = 0;
let opened = 0;
let pages = 0;
let slowest = { ms: 0, what: "" };
const refusals = new Map<string, number>();
const started = performance.now();

for (let i = 0; i < cases; i++) {
  const format = formats[i % formats.length]!;
  const seed = firstSeed + Math.floor(i / formats.length);
  const random = new Random(seed);
  const which = random.below(format.files.length);
  const files = format.files.map((file, k) => (k === which ? mutate(file, random) : file));
  const what = `--seed ${seed} --only ${format.name} --cases 1`;
  const start = performance.now();
  try {
    const outcome = tryDump(files);
    if ("refused" in outcome) refusals.set(outcome.refused, (refusals.get(outcome.refused) ?? 0) + 1);
    else {
      opened++;
      pages += outcome.opened;
    }
  } catch (error) {
    failures++;
    console.log(`FAILED ${what}\n  ${error instanceof Error ? error.stack : error}`);
  }
  const ms = performance.now() - start;
  if (ms > slowest.ms) slowest = { ms, what };
  if (ms > MOST_MS) {
    failures++;
    console.log(`SLOW ${what}: ${ms.toFixed(0)} ms`);
  }
  if (i % 500 === 0 && process.memoryUsage().rss > MOST_RSS) {
    failures++;
    console.log(`LARGE by ${what}: ${process.memoryUsage().rss >> 20} MiB resident`);
  }
}

console.log(
  `${cases} mutated dumps of ${formats.length} kinds in ${((performance.now() - started) / 1000).toFixed(1)} s`,
);
console.log(`  opened ${opened}, with ${pages} pages read; refused ${cases - opened - failures}:`);
for (const [code, count] of [...refusals].sort((a, b) => b[1] - a[1])) console.log(`    ${code} ${count}`);
console.log(`  slowest ${slowest.ms.toFixed(0)} ms (${slowest.what}); ${process.memoryUsage().rss >> 20} MiB resident`);
console.log(`  ${failures} failures`);
process.exit(failures === 0 ? 0 : 1);
