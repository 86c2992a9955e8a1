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
  sameDiagnosis,
} from "@spillway/core";
import { FileSource } from "../../packages/cli/src/io/file-source.ts";
import { nodeCodecs } from "../../packages/cli/src/io/node-codecs.ts";
import { DamagedSource } from "../fuzz/damaged-source.ts";
import { Random } from "../fuzz/random.ts";
import { runCases } from "../fuzz/run-cases.ts";

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
process.exit(
  runCases({ path, cases, firstSeed, mostMs: MOST_MS }, (seed) => {
    const source = new DamagedSource(whole, new Random(seed));
    const aboutFile = open(source).problems.map((problem) => problem.message);
    const small = extracted(open(source));
    const [before, after] = [open(source), open(new MemorySource(small, path))].map((image) =>
      diagnose(openKernel(image), { path }),
    );
    return sameDiagnosis(before!, after!, aboutFile) ? "same diagnosis" : "another diagnosis";
  }),
);
