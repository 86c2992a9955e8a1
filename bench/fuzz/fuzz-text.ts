/**
 * Damaged copies of logs through the whole diagnosis: each must end with a SpillwayError or a document, in bounded time.
 *
 *   node bench/fuzz/fuzz-text.ts FILE… [--cases 2000] [--seed 1]
 *
 * A failure prints what runs it alone: `--seed S --cases 1`.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openText } from "@spillway/core";
import { damageText } from "./damage-text.ts";
import { Random } from "./random.ts";
import { runCases } from "./run-cases.ts";

/** A log of a crash is a few hundred lines; nothing in it takes longer than that. */
const MOST_MS = 1000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: "string" }, seed: { type: "string" } },
});
const cases = Number(values.cases ?? 2000);
const firstSeed = Number(values.seed ?? 1);
if (positionals.length === 0 || !(cases > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error("usage: fuzz-text.ts FILE… [--cases N] [--seed S]");
  process.exit(2);
}

const logs = positionals.map((path) => readFileSync(path, "latin1"));
process.exit(
  runCases({ path: `${logs.length} logs`, cases, firstSeed, mostMs: MOST_MS }, (seed) => {
    const random = new Random(seed);
    const diagnosis = openText(damageText(random.pick(logs), random), "log").diagnose();
    if (diagnosis.verdict.confidence === "certain") throw new Error("a text made a verdict certain");
    JSON.stringify(diagnosis);
    return diagnosis.verdict.kind;
  }),
);
