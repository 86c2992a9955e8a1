/**
 * Are the backtraces right? Spillway's, drgn's and crash's chains of the crashed task against the lab's ground truth, for a folder
 * of lab runs. See bench/README.md.
 */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findProgram } from "../lib/find-program.ts";
import { runMeasured } from "../lib/run-measured.ts";
import { type Column, markdownTable, textTable } from "../lib/table.ts";
import { type ChainTruth, describeJudgement, type Judgement, judgeChain } from "./judge-chain.ts";
import { drgnChain, parseCrash, parseSpillway } from "./peer-chain.ts";
import { DEFAULT_PATHS, findCrash, findSpillway, type Subject } from "./tools.ts";

const USAGE = `usage: node bench/compare/peers-chains.ts --dumps FOLDER --vmlinux FOLDER [--modules FOLDER] [--only TEXT]
         [--spillway FILE] [--drgn FILE] [--crash FILE] [--tools spillway,drgn,crash] [--json | --markdown]

  --dumps FOLDER    one folder a lab run in it, with vmcore and result.json (spillway lab run)
  --vmlinux FOLDER  with vmlinux-RELEASE of each kernel (…/usr/lib/debug/boot)
  --modules FOLDER  with RELEASE/*/*.ko, for drgn (the lab keeps them in ~/.cache/spillway/modules)
  --only TEXT       just the runs with this in their name
  --tools NAMES     just these tools`;

const { values: options } = parseArgs({
  options: {
    dumps: { type: "string" },
    vmlinux: { type: "string" },
    modules: { type: "string" },
    only: { type: "string", default: "" },
    tools: { type: "string", default: "spillway,drgn,crash" },
    spillway: { type: "string", default: DEFAULT_PATHS.spillway },
    drgn: { type: "string", default: DEFAULT_PATHS.drgn },
    crash: { type: "string", default: DEFAULT_PATHS.crash },
    json: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (options.help || options.dumps === undefined || options.vmlinux === undefined) {
  console.log(USAGE);
  process.exit(options.help ? 0 : 2);
}

interface LabRun {
  readonly name: string;
  readonly release: string;
  readonly dump: string;
  readonly truth: ChainTruth;
}

/** Asks one tool for its chain; null where the tool is not there. */
type Judge = (run: LabRun, subject: Subject) => Judgement;

const judges = new Map<string, Judge | string>();
for (const name of options.tools.split(",")) judges.set(name, judgeOf(name));

const results = labRuns(options.dumps).map((run) => {
  const vmlinux = join(options.vmlinux!, `vmlinux-${run.release}`);
  const subject: Subject = { dump: run.dump, vmlinux, modules: modulesOf(run.release) };
  const verdicts = [...judges].map(([tool, judge]) => {
    if (typeof judge === "string") return { tool, judgement: null, text: `not found: ${judge}` };
    if (tool !== "spillway" && !existsSync(vmlinux)) return { tool, judgement: null, text: "no vmlinux" };
    const judgement = judge(run, subject);
    return { tool, judgement, text: describeJudgement(judgement) };
  });
  process.stderr.write(".");
  return { name: run.name, verdicts };
});
process.stderr.write("\n");

if (options.json) {
  console.log(JSON.stringify(results, null, 2));
} else {
  const columns: Column[] = ["run", ...judges.keys()].map((title) => ({ title, align: "left" }));
  const rows = results.map((result) => [result.name, ...result.verdicts.map((verdict) => verdict.text)]);
  const totals = [...judges.keys()].map((_, i) => {
    const right = results.filter((result) => result.verdicts[i]!.judgement?.right).length;
    return `${right} of ${results.length} right`;
  });
  console.log((options.markdown ? markdownTable : textTable)(columns, [...rows, ["all", ...totals]]));
}

/** How to ask a tool, or where it was looked for in vain. */
function judgeOf(name: string): Judge | string {
  if (name === "drgn") {
    const file = findProgram(options.drgn);
    return file === null ? options.drgn : ({ truth }, subject) => judgeChain(drgnChain(file, subject), truth);
  }
  if (name === "crash") {
    const crash = findCrash(options.crash);
    if ("missing" in crash) return crash.missing;
    return ({ truth }, subject) => judgeChain(parseCrash(runMeasured(crash.backtrace(subject))), truth);
  }
  if (name === "spillway") {
    const spillway = findSpillway(options.spillway);
    if ("missing" in spillway) return spillway.missing;
    return ({ truth }, subject) => {
      const { file, args } = spillway.backtrace(subject);
      return judgeChain(parseSpillway(runMeasured({ file, args: [...args, "--json"] })), truth);
    };
  }
  return `there is no tool ${name}`;
}

function labRuns(folder: string): LabRun[] {
  return readdirSync(folder)
    .filter((name) => name.includes(options.only) && existsSync(join(folder, name, "result.json")))
    .sort()
    .map((name) => {
      const result = JSON.parse(readFileSync(join(folder, name, "result.json"), "utf8")) as {
        kernel: { release: string };
        expected: ChainTruth;
      };
      return { name, release: result.kernel.release, dump: join(folder, name, "vmcore"), truth: result.expected };
    });
}

function modulesOf(release: string): string[] {
  return options.modules === undefined ? [] : globSync(join(options.modules, release, "*/*.ko"));
}
