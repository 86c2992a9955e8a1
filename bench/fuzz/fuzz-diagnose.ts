/**
 * Damaged copies of a real dump through the whole diagnosis: each must end with a SpillwayError or a document, in bounded
 * time.
 *
 *   node bench/fuzz/fuzz-diagnose.ts DUMP [--cases 300] [--seed 1]
 *
 * A failure prints what runs it alone: `--seed S --cases 1`.
 */
import { parseArgs } from "node:util";
import { diagnose, openDump, openKernel } from "@spillway/core";
import { FileSource } from "../../packages/cli/src/io/file-source.ts";
import { nodeCodecs } from "../../packages/cli/src/io/node-codecs.ts";
import { DamagedSource } from "./damaged-source.ts";
import { Random } from "./random.ts";
import { runCases } from "./run-cases.ts";

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
process.exit(
  runCases({ path, cases, firstSeed, mostMs: MOST_MS }, (seed) => {
    const source = new DamagedSource(whole, new Random(seed));
    return diagnose(openKernel(openDump([source], { codecs: nodeCodecs })), { path }).verdict.kind;
  }),
);
