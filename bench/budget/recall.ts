/**
 * Recall and precision of the budget's call graph: a workload runs on a stock kernel under QEMU while ftrace watches, and
 * every call seen is looked up in the graph.
 *
 *   node bench/budget/recall.ts 6.1|6.12 [--recording FOLDER] [--misses FILE] [--input FILE]
 *
 * Without --recording a new one is made (some ten minutes) and thrown away; a FOLDER that is not there is filled and kept.
 * The graph is built from a dump taken in the recording's middle, modules and all, unless --input names the kernel (a vmlinuz:
 * then modules are not judged). The other dumps in the folder are compared too.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDump, openKernel, type Program } from "@spillway/core";
import { FileSource } from "../../packages/cli/src/io/file-source.ts";
import { nodeCodecs } from "../../packages/cli/src/io/node-codecs.ts";
import { openProgramFile } from "../../packages/cli/src/io/open-program.ts";
import { buildCallGraph } from "../../packages/core/src/budget/build-call-graph.ts";
import { CERTAINTIES } from "../../packages/core/src/budget/call-graph.ts";
import { fullAddress } from "../../packages/core/src/budget/function-table.ts";
import { IndirectCalls } from "../../packages/core/src/budget/indirect/indirect-calls.ts";
import { CallMatcher } from "../../packages/core/src/budget/truth/call-matcher.ts";
import { compareDump } from "../../packages/core/src/budget/truth/dump-chains.ts";
import { precisionOf, type SetSizes } from "../../packages/core/src/budget/truth/precision.ts";
import {
  readCalls,
  readNestings,
  readStacks,
  readStackTracer,
} from "../../packages/core/src/budget/truth/read-recording.ts";
import {
  compareStackTracer,
  type Recall,
  recallOf,
  recallOfCalls,
  recallOfNestings,
  recallOfStacks,
  type SizeComparison,
} from "../../packages/core/src/budget/truth/recall.ts";
import { ensureKernel } from "../../packages/lab/src/kernel-cache.ts";
import { resolveVariant } from "../../packages/lab/src/lab-options.ts";
import { recordTrace } from "../../packages/lab/src/trace/record-trace.ts";
import { openTraceRecording } from "../../packages/lab/src/trace/trace-recording.ts";
import { textTable } from "../lib/table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { recording: { type: "string" }, misses: { type: "string" }, input: { type: "string" } },
});
const series = resolveVariant({ kernel: positionals[0] }).kernel;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const folder = values.recording ?? mkdtempSync(join(tmpdir(), "spillway-recall-"));
try {
  if (values.recording === undefined || !existsSync(folder)) {
    const kernel = await ensureKernel(series, say);
    say("recording: some ten minutes");
    await recordTrace({ kernel, folder, dumps: "each", progress: say, timeoutMs: 3_600_000 });
  }
  await report();
} finally {
  if (values.recording === undefined) rmSync(folder, { recursive: true, force: true });
}

async function report(): Promise<void> {
  const recording = await openTraceRecording(folder);
  const dumps = readdirSync(folder)
    .filter((name) => name.endsWith(".vmcore"))
    .map((name) => join(folder, name));
  // While a tracer runs the text has calls to it; beside tracepoints it has not.
  const input = values.input ?? dumps.find((path) => path.endsWith("stacks.vmcore")) ?? dumps[0];
  if (input === undefined) throw new Error(`${folder} has no dump: give --input`);
  const program = openProgramFile(input);
  say(`${program.name}: opened`);
  const started = performance.now();
  const graph = buildCallGraph(program, { indirect: (whole, table) => new IndirectCalls(whole, table) });
  say(`${program.name}: graph in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const matcher = new CallMatcher(graph);
  const areas = program.text.filter((area) => !area.init);
  const isText = (at: number): boolean => {
    const address = fullAddress(at);
    return areas.some((area) => address >= area.start && address < area.end);
  };
  const traceable = (f: number): boolean => recording.traceable.has(graph.functions.name[f] as string);

  const rows: [string, Recall][] = [];
  const add = (name: string, recall: Recall): void => {
    rows.push([name, recall]);
    say(`${name}: ${recall.misses.length} missed`);
  };
  add("function tracer", recallOfCalls(matcher, readCalls(recording.calls), isText));
  if (values.misses !== undefined) writeMisses(values.misses, missLines(program, rows));
  add("stacks beside events", recallOfStacks(matcher, readStacks(recording.stacks), isText));
  const tracer = compareStackTracer(matcher, readStackTracer(recording.stackTracer));
  add("stack tracer", tracer.recall);
  const sizes: [string, SizeComparison][] = [["stack tracer", tracer.sizes]];
  for (const path of dumps) {
    const kernel = openKernel(openDump([new FileSource(path)], { codecs: nodeCodecs }));
    const { chains, recall, sizes: compared } = compareDump(kernel, matcher);
    const name = `dump, ${chains} stacks`;
    add(name, recall);
    sizes.push([name, compared]);
  }
  if (values.misses !== undefined) writeMisses(values.misses, missLines(program, rows, sizes));
  add("function_graph", recallOfNestings(matcher, readNestings(recording.nestings), traceable));
  console.log(`${recording.release}, graph from ${program.source}`);
  const right = (title: string) => ({ title, align: "right" }) as const;
  console.log(
    textTable(
      [
        { title: "source", align: "left" },
        right("calls"),
        ...CERTAINTIES.map(right),
        right("missed"),
        right("recall %"),
        right("not judged"),
      ],
      rows.map(([name, recall]) => [
        name,
        String(CERTAINTIES.reduce((sum, certainty) => sum + recall.found[certainty], recall.misses.length)),
        ...CERTAINTIES.map((certainty) => String(recall.found[certainty])),
        String(recall.misses.length),
        (recallOf(recall) * 100).toFixed(3),
        String(recall.outside),
      ]),
    ),
  );
  console.log();
  console.log(
    textTable(
      [
        { title: "bytes at call sites", align: "left" },
        right("equal"),
        right("different"),
        right("not known"),
        right("not judged"),
      ],
      sizes.map(([name, s]) => [name, s.equal, s.differences.length, s.unknown, s.outside].map(String)),
    ),
  );
  const precision = precisionOf(graph);
  const setRow = (name: string, s: SetSizes) => [
    name,
    String(s.sites),
    s.mean.toFixed(1),
    String(s.median),
    String(s.largest),
  ];
  console.log();
  console.log(
    textTable(
      [
        { title: "behind an indirect call", align: "left" },
        right("sites"),
        right("mean"),
        right("median"),
        right("largest"),
      ],
      [
        setRow("slot, else prototype", precision.narrowed),
        setRow("sites with a slot", precision.typed),
        setRow("prototype only", precision.prototypeOnly),
      ],
    ),
  );
  console.log(`unresolved: ${precision.unresolved} of ${precision.indirectSites} indirect sites`);

  const lines = missLines(program, rows, sizes);
  if (values.misses !== undefined) writeMisses(values.misses, lines);
  else if (lines.length > 0) console.log(`\n${lines.slice(0, 60).join("\n")}`);
}

/** One line for each miss and each size that differs. */
function missLines(
  program: Program,
  rows: readonly (readonly [string, Recall])[],
  sizes: readonly (readonly [string, SizeComparison])[] = [],
): string[] {
  const place = (at: number): string => {
    const found = program.symbols.byAddress(fullAddress(at));
    const name = found === null ? "?" : `${found.symbol.name}+0x${found.offset.toString(16)}`;
    return `${fullAddress(at).toString(16)} ${found?.symbol.module ?? "vmlinux"}:${name}`;
  };
  const missed = rows.flatMap(([name, { misses }]) =>
    misses.map(({ at, callee, reason }) => `${name}: ${reason}: ${place(at - 1)} -> ${place(callee)}`),
  );
  const different = sizes.flatMap(([name, { differences }]) =>
    differences.map(({ at, observed, expected }) => `${name}: size ${observed}, not ${expected}: ${place(at - 1)}`),
  );
  return [...missed, ...different];
}

function writeMisses(path: string, lines: readonly string[]): void {
  writeFileSync(path, `${lines.join("\n")}\n`);
}
