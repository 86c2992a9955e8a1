/**
 * Extracts of damaged copies of a dump: each must end with a SpillwayError or a file whose diagnosis is that of its damaged
 * source, in bounded time.
 *
 *   node bench/extract/fuzz-extract.ts DUMP [--cases 100] [--seed 1]
 *
 * The dump is first extracted without compression, so that damage hits the kernel's memory itself: pointers, lengths, tables.
 */
import { parseArgs } from "node:util";
import {
  type DumpImage,
  diagnose,
  extractDump,
  MemorySource,
  openDump,
  openKernel,
  SpillwayError,
  sameDiagnosis,
} from "@spillway/core";
import { FileSource } from "../../packages/cli/src/io/file-source.ts";
import { nodeCodecs } from "../../packages/cli/src/io/node-codecs.ts";
import { DamagedSource } from "../fuzz/damaged-source.ts";
import { Random } from "../fuzz/random.ts";

const MOST_MS = 20_000;
const LARGEST = 1 << 29;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: "string" }, seed: { type: "string" } },
});
const [path] = positionals;
const cases = Number(values.cases ?? 100);
const firstSeed = Number(values.seed ?? 1);
if (path === undefined || !(cases > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error("usage: fuzz-extract.ts DUMP [--cases N] [--seed S]");
  process.exit(2);
}

/** The file in memory, uncompressed. */
function extracted(image: DumpImage): Uint8Array {
  let file = new Uint8Array(1 << 25);
  let end = 0;
  extractDump(
    image,
    (offset, bytes) => {
      end = Math.max(end, offset + bytes.length);
      if (end > LARGEST) throw new Error(`a file of ${end} bytes`);
      if (end > file.length) {
        const larger = new Uint8Array(end * 2);
        larger.set(file);
        file = larger;
      }
      file.set(bytes, offset);
    },
    { compress: (page) => page },
  );
  return file.subarray(0, end);
}

const open = (source: MemorySource | DamagedSource | FileSource): DumpImage =>
  openDump([source], { codecs: nodeCodecs });
const whole = new MemorySource(extracted(open(new FileSource(path))), path);
const outcomes = new Map<string, number>();
let failures = 0;
let slowest = { ms: 0, seed: firstSeed };
for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
  const start = performance.now();
  let outcome = "";
  try {
    const source = new DamagedSource(whole, new Random(seed));
    const aboutFile = open(source).problems.map((problem) => problem.message);
    const small = extracted(open(source));
    const [before, after] = [open(source), open(new MemorySource(small, path))].map((image) =>
      diagnose(openKernel(image), { path }),
    );
    outcome = sameDiagnosis(before!, after!, aboutFile) ? "same diagnosis" : "another diagnosis";
  } catch (error) {
    if (error instanceof SpillwayError && error.class !== "internal") outcome = error.code;
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
console.log(`slowest ${slowest.ms.toFixed(0)} ms (seed ${slowest.seed}); ${failures} failures`);
process.exit(failures === 0 ? 0 : 1);
