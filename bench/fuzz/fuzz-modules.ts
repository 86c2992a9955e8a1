/**
 * Damaged copies of a module, and of its debug information, through all of a budget beside a kernel of one function: each must
 * end with a SpillwayError or a budget, and what is left out of it is told.
 *
 *   node bench/fuzz/fuzz-modules.ts MODULE.ko [--debuginfo MODULE.ko.debug] [--cases 300] [--seed 1]
 *
 * Copies are packed with gzip, zstd or xz, or not, before they are damaged or after. With --debuginfo that file is damaged, and
 * the module whole; half of the time it is named, and else found in a folder. A failure prints what runs it alone: `--seed S --cases 1`.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { analyseProgram, createBudget, declaredTypes } from "@spillway/core";
import { nodeUnpackers } from "../../packages/cli/src/io/node-unpackers.ts";
import { tinyProgram } from "../../packages/core/src/budget/tiny-program.fixture.ts";
import { MemorySource } from "../../packages/core/src/bytes/byte-source.ts";
import { withModules } from "../../packages/core/src/program/modules/with-modules.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { runCases } from "./run-cases.ts";

/** A whole one takes some 100 ms; a damaged length may make a loop go through what there is once more. */
const MOST_MS = 5000;
const MOST_RSS = 1 << 30;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: "string" }, seed: { type: "string" }, debuginfo: { type: "string" } },
});
const [path] = positionals;
const cases = Number(values.cases ?? 300);
const firstSeed = Number(values.seed ?? 1);
if (path === undefined || !(cases > 0) || !Number.isSafeInteger(firstSeed)) {
  console.error("usage: fuzz-modules.ts MODULE.ko [--debuginfo FILE] [--cases N] [--seed S]");
  process.exit(2);
}

// No Buffer: its slices are no copies.
const whole = new Uint8Array(readFileSync(path));
const debug = values.debuginfo === undefined ? null : new Uint8Array(readFileSync(values.debuginfo));
const packings: readonly ((bytes: Uint8Array) => Uint8Array)[] = [
  (bytes) => bytes,
  gzipSync,
  zstdCompressSync,
  (bytes) => spawnSync("xz", ["-0", "-c"], { input: bytes, maxBuffer: 1 << 28 }).stdout,
];

function budgetOf(module: Uint8Array, file: Uint8Array | null, isNamed: boolean): string {
  const { program: kernel } = tinyProgram({ functions: { kernel: "c3  ret" } });
  const program = withModules(kernel, [{ path: "damaged.ko", read: () => module }], nodeUnpackers);
  const files = file === null ? [] : [new MemorySource(file, "damaged.ko.debug")];
  const passedOver: string[] = [];
  const finder = isNamed ? { named: files, candidates: () => [] } : { named: [], candidates: () => files };
  const declared = declaredTypes(program, finder, passedOver);
  if (declared === null && file !== null)
    return passedOver[0] === undefined ? "of another build" : "passed over, and told";
  const graph = analyseProgram(program, () => {}, { declared });
  const { problems } = createBudget(program, graph, {}).summary;
  const isThere = program.symbols.modules.length > 0;
  if (!isThere && problems.length === 0) throw new Error("the module is not there, and nobody says so");
  // What is so of the whole one, too: this kernel has none of what the module calls.
  const told = problems.filter(
    (problem) => !/nothing defines|relocations cannot be applied|was built for/.test(problem),
  );
  return told[0]?.replaceAll(/0x[0-9a-f]+|\d[\d,]*/g, "N").slice(0, 100) ?? "nothing amiss";
}

process.exit(
  runCases({ path: values.debuginfo ?? path, cases, firstSeed, mostMs: MOST_MS }, (seed) => {
    const random = new Random(seed);
    const outcome =
      debug === null
        ? budgetOf(damagedModule(random), null, true)
        : budgetOf(whole, mutate(debug, random), random.below(2) === 0);
    const { rss } = process.memoryUsage();
    if (rss > MOST_RSS) throw new Error(`${rss >> 20} MiB resident`);
    return outcome;
  }),
);

function damagedModule(random: Random): Uint8Array {
  const pack = random.pick(packings);
  return random.below(2) === 0 ? pack(mutate(whole, random)) : mutate(new Uint8Array(pack(whole)), random);
}
