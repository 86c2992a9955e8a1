/**
 * Damaged copies of a real dump through the whole diagnosis: each must end with a SpillwayError or a document, in bounded
 * time.
 *
 *   node bench/fuzz/fuzz-diagnose.ts DUMP [--cases 300] [--seed 1]
 *
 * A failure prints what runs it alone: `--seed S --cases 1`.
 */
import { parseArgs } from "node:util";
import { diagnose, openDump, openKernel, SpillwayError } from "@spillway/core";
import { FileSource } from "../../packages/cli/src/io/file-source.ts";
import { nodeCodecs } from "../../packages/cli/src/io/node-codecs.ts";
import { DamagedSource } from "./damaged-source.ts";
import { Random } from "./random.ts";

/** Some searches go through all of a 256 MB dump; nothing may take much longer than that. */
const MOST_MS = 5000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: "string" }, seed: { type: "string" } },
});
const [path] = positionals;
const cases = Number(values.cases ?? 300);
const firstSeed = Number(values.seed ?? 1);
if (path === undefined || !(cases > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error("usage: fuzz-diagnose.ts DUMP [--cases N] [--seed S]");
  process.exit(2);
}

const whole = new FileSource(path);
const outcomes = new Map<string, number>();
let failures = 0;
let slowest = { ms: 0, seed: firstSeed };
for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
  const source = new DamagedSource(whole, new Random(seed));
  const start = performance.now();
  let outcome = "";
  try {
    outcome = diagnose(openKernel(openDump([source], { codecs: nodeCodecs })), { path }).verdict.kind;
  } catch (error) {
    if (error instanceof SpillwayError) outcome = error.code;
    else {
      failures++;
      outcome = "FAILED";
      console.log(`FAILED --seed ${seed} --cases 1\n  ${error instanceof Error ? error.stack : error}`);
    }
  }
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const ms = performance.now() - start;
  if (ms > slowest.ms) slowest = { ms, seed };
  if (ms > MOST_MS) {
    failures++;
    console.log(`SLOW --seed ${seed} --cases 1: ${ms.toFixed(0)} ms`);
  }
}
console.log(`${cases} damaged copies of ${path}:`);
for (const [outcome, count] of [...outcomes].sort((a, b) => b[1] - a[1])) console.log(`  ${outcome} ${count}`);
console.log(
  `slowest ${slowest.ms.toFixed(0)} ms (seed ${slowest.seed}); ${process.memoryUsage().rss >> 20} MiB resident; ${failures} failures`,
);
process.exit(failures === 0 ? 0 : 1);
