/**
 * Spillway, drgn and crash on the same dump in the same run: from command to backtrace, wall time and peak memory.
 * See bench/README.md for how to repeat it.
 */
import { existsSync, statSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { runMeasured } from "../lib/run-measured.ts";
import { failureReason, interleave, measuredOutcome, type Outcome, withRatios } from "./comparison.ts";
import { type Comparison, markdownReport, textReport } from "./report.ts";
import { DEFAULT_PATHS, findTools, type MissingTool, type Subject, type Tool } from "./tools.ts";

const USAGE = `usage: node bench/compare/compare.ts --dump FILE [--vmlinux FILE] [-n RUNS] [--json | --markdown]
         [--spillway FILE] [--drgn FILE] [--crash FILE]

  --dump FILE      the dump that all of them open
  --vmlinux FILE   the debug vmlinux of its kernel, which drgn and crash need
  -n RUNS          runs of each tool that count (5)
  --spillway FILE  the bundled CLI (packages/cli/dist/spillway.js), run by the pinned Node, or any program
  --drgn FILE      drgn (from the search path)
  --crash FILE     crash (from the search path)
  --json           the whole result with every run
  --markdown       the table for a README`;

const { values: options } = parseArgs({
  options: {
    dump: { type: "string" },
    vmlinux: { type: "string" },
    spillway: { type: "string", default: DEFAULT_PATHS.spillway },
    drgn: { type: "string", default: DEFAULT_PATHS.drgn },
    crash: { type: "string", default: DEFAULT_PATHS.crash },
    runs: { type: "string", short: "n", default: "5" },
    json: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const runs = Number(options.runs);
if (options.help || options.dump === undefined || !Number.isInteger(runs) || runs < 1) {
  console.log(USAGE);
  process.exit(options.help ? 0 : 2);
}
for (const file of [options.dump, options.vmlinux]) {
  if (file === undefined || existsSync(file)) continue;
  console.error(`no such file: ${file}`);
  process.exit(2);
}

const subject: Subject = { dump: options.dump, vmlinux: options.vmlinux ?? null };
const found = findTools(options);
const outcomes = withRatios(compare(found, subject, runs));
const comparison: Comparison = {
  schema: "spillway/bench-compare@1",
  machine: { cpu: cpus()[0]?.model ?? "?", cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30) },
  dump: { path: subject.dump, bytes: statSync(subject.dump).size },
  vmlinux: subject.vmlinux === null ? null : { path: subject.vmlinux, bytes: statSync(subject.vmlinux).size },
  runs,
  outcomes,
};
if (options.json) console.log(JSON.stringify(comparison, null, 2));
else process.stdout.write(options.markdown ? markdownReport(comparison) : textReport(comparison));
process.exitCode = outcomes.some((outcome) => outcome.tool === "spillway" && outcome.status === "measured") ? 0 : 1;

/**
 * One run of each that does not count (it fills the page cache for all, and shows who can do the job), then the measured ones.
 * A tool that fails in any run has no figures: a fast failure must not look like a fast answer.
 */
function compare(tools: readonly (Tool | MissingTool)[], on: Subject, n: number): Outcome[] {
  const outcomes = new Map<string, Outcome>();
  const able: Tool[] = [];
  for (const tool of tools) {
    if ("missing" in tool) {
      outcomes.set(tool.name, { tool: tool.name, status: "not found", reason: tool.missing });
    } else if (on.vmlinux === null && tool.name !== "spillway") {
      outcomes.set(tool.name, { tool: tool.name, status: "not run", reason: "it needs --vmlinux" });
    } else {
      const trial = runMeasured(tool.backtrace(on));
      if (tool.succeeded(trial)) able.push(tool);
      else outcomes.set(tool.name, { tool: tool.name, status: "failed", reason: failureReason(trial) });
    }
  }
  const results = interleave(able, n, (tool) => runMeasured(tool.backtrace(on)));
  for (const [tool, measured] of results) {
    const failed = measured.find((run) => !tool.succeeded(run));
    outcomes.set(
      tool.name,
      failed === undefined
        ? measuredOutcome(tool.name, tool.version, tool.gives, measured)
        : { tool: tool.name, status: "failed", reason: failureReason(failed) },
    );
  }
  return tools.map((tool) => outcomes.get(tool.name)!);
}
