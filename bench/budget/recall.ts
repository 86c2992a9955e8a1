/**
 * The budget against kernels at work: a workload runs on a stock kernel under QEMU while ftrace watches. Every call that was
 * seen is looked up in the call graph, every frame's size and every stack's depth is held against what the budget says.
 *
 *   node bench/budget/recall.ts 6.1|6.12 [--recording FOLDER] [--boot-image] [--misses FILE]
 *
 * Without --recording a new one is made (some ten minutes) and thrown away; a FOLDER that is not there is filled and kept.
 * The graph is built from a dump taken in the recording's middle, modules and all; with --boot-image from the vmlinuz and the
 * files of the modules that the workload loads, as who never crashed a kernel has them. All dumps in the folder are compared.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  analyseProgram,
  createBudget,
  type Kernel,
  openDump,
  openKernel,
  openProgram,
  type Program,
} from "@spillway/core";
import { FileSource } from "../../packages/cli/src/io/file-source.ts";
import { nodeCodecs } from "../../packages/cli/src/io/node-codecs.ts";
import { nodeUnpackers } from "../../packages/cli/src/io/node-unpackers.ts";
import { openProgramFile } from "../../packages/cli/src/io/open-program.ts";
import { CallMatcher } from "../../packages/core/src/budget/truth/call-matcher.ts";
import { compareDump } from "../../packages/core/src/budget/truth/dump-chains.ts";
import { DepthJudge } from "../../packages/core/src/budget/truth/observed-depths.ts";
import { type Placing, placing, samePlace, textTest } from "../../packages/core/src/budget/truth/places.ts";
import { precisionOf } from "../../packages/core/src/budget/truth/precision.ts";
import {
  readCalls,
  readNestings,
  readStacks,
  readStackTracer,
} from "../../packages/core/src/budget/truth/read-recording.ts";
import {
  type Recall,
  recallOfCalls,
  recallOfNestings,
  recallOfStacks,
  type SizeComparison,
} from "../../packages/core/src/budget/truth/recall.ts";
import { compareStackTracer } from "../../packages/core/src/budget/truth/stack-tracer.ts";
import { ensureKernel, type LabKernel } from "../../packages/lab/src/kernel-cache.ts";
import { resolveVariant } from "../../packages/lab/src/lab-options.ts";
import { stockModules } from "../../packages/lab/src/trace/module-set.ts";
import { PROBE, recordTrace, WORKLOAD_MODULES } from "../../packages/lab/src/trace/record-trace.ts";
import { openTraceRecording } from "../../packages/lab/src/trace/trace-recording.ts";
import { COMPARED_KINDS, depthLines, depthTables } from "./depth-tables.ts";
import { missLines, precisionTable, recallTable, sizeTable } from "./recall-tables.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { recording: { type: "string" }, misses: { type: "string" }, "boot-image": { type: "boolean" } },
});
const series = resolveVariant({ kernel: positionals[0] }).kernel;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const folder = values.recording ?? mkdtempSync(join(tmpdir(), "spillway-recall-"));
try {
  const kernel = await ensureKernel(series, say);
  if (values.recording === undefined || !existsSync(folder)) {
    say("recording: some ten minutes");
    await recordTrace({ kernel, folder, dumps: "each", progress: say, timeoutMs: 3_600_000 });
  }
  await report(kernel);
} finally {
  if (values.recording === undefined) rmSync(folder, { recursive: true, force: true });
}

async function bootImage(kernel: LabKernel): Promise<Program> {
  const modules = await stockModules(kernel, [...WORKLOAD_MODULES, PROBE]);
  return openProgram([new FileSource(kernel.image)], {
    unpackers: nodeUnpackers,
    modules: modules.map(({ name, content }) => ({ path: `${name}.ko`, read: () => content })),
  });
}

function openKernelFile(path: string): Kernel {
  return openKernel(openDump([new FileSource(path)], { codecs: nodeCodecs }));
}

async function report(labKernel: LabKernel): Promise<void> {
  const recording = await openTraceRecording(folder);
  const dumps = readdirSync(folder)
    .filter((name) => name.endsWith(".vmcore"))
    .map((name) => join(folder, name));
  // While a tracer runs the text has calls to it; beside tracepoints it has not.
  const own = dumps.find((path) => path.endsWith("stacks.vmcore")) ?? dumps[0];
  if (own === undefined) throw new Error(`${folder} has no dump`);
  const program = values["boot-image"] === true ? await bootImage(labKernel) : openProgramFile(own);
  const placed: Placing =
    program.source === "vmcore" ? samePlace : placing(openKernelFile(own).symbols, program.symbols);
  const started = performance.now();
  const graph = analyseProgram(program);
  say(`${program.name}: graph in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const matcher = new CallMatcher(graph);
  const isText = textTest(program);
  const traceable = (f: number): boolean => recording.traceable.has(graph.functions.name[f] as string);

  const rows: [string, Recall][] = [];
  const sizes: [string, SizeComparison][] = [];
  const add = (name: string, recall: Recall): void => {
    rows.push([name, recall]);
    say(`${name}: ${recall.misses.length} missed`);
  };
  add("function tracer", recallOfCalls(matcher, readCalls(recording.calls, placed), isText));
  add("function_graph", recallOfNestings(matcher, readNestings(recording.nestings, placed), traceable));
  add("stacks beside events", recallOfStacks(matcher, readStacks(recording.stacks, placed), isText));
  const tracer = compareStackTracer(matcher, readStackTracer(recording.stackTracer));
  add("stack tracer", tracer.recall);
  say(`stack tracer: ${tracer.displaced} lines put right`);
  sizes.push(["stack tracer", tracer.sizes]);
  const budget = createBudget(program, graph);
  const judge = new DepthJudge(budget, COMPARED_KINDS);
  for (const chain of tracer.chains) judge.add(chain);
  for (const path of dumps) {
    const compared = compareDump(openKernelFile(path), matcher, isText, placed);
    const name = `dump, ${compared.stacks} stacks`;
    add(name, compared.recall);
    sizes.push([name, compared.sizes]);
    for (const chain of compared.chains) judge.add(chain);
  }
  console.log(`${recording.release}, graph from ${program.source}\n`);
  console.log(`${recallTable(rows)}\n\n${sizeTable(sizes)}\n\n${precisionTable(precisionOf(graph))}\n`);
  console.log(depthTables(budget, judge.seen));

  const lines = [...missLines(program, rows, sizes), ...depthLines(budget, judge.seen)];
  if (values.misses !== undefined) writeFileSync(values.misses, `${lines.join("\n")}\n`);
  else if (lines.length > 0) console.log(`\n${lines.slice(0, 60).join("\n")}`);
}
