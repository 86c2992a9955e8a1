/**
 * Are files, lines and inlined functions right? Spillway's for every proven frame of every task against drgn's for the same
 * addresses, over a folder of lab runs. See bench/README.md.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { findProgram } from "../lib/find-program.ts";
import { lastWords } from "../lib/last-words.ts";
import { runMeasured } from "../lib/run-measured.ts";
import { type Column, textTable } from "../lib/table.ts";
import { compareSources, drgnSources, type ProvenFrame, parseDrgnSources, provenFrames } from "./compare-sources.ts";
import { DEFAULT_PATHS, drgnCommand, findSpillway } from "./tools.ts";

const USAGE = `usage: node bench/compare/source-lines.ts --dumps FOLDER --vmlinux FOLDER [--modules FOLDER] [--only TEXT]
         [--spillway FILE] [--drgn FILE] [--all] [--json]

  --dumps FOLDER    one folder a lab run in it, with vmcore and result.json (spillway lab run)
  --vmlinux FOLDER  with vmlinux-RELEASE of each kernel (…/usr/lib/debug/boot)
  --modules FOLDER  modules with debug information, anywhere below it (the lab keeps them in ~/.cache/spillway/modules)
  --only TEXT       just the runs with this in their name
  --all             every task, not only the one that crashed
  --json            every difference in full`;

const { values: options } = parseArgs({
  options: {
    dumps: { type: "string" },
    vmlinux: { type: "string" },
    modules: { type: "string" },
    only: { type: "string", default: "" },
    spillway: { type: "string", default: DEFAULT_PATHS.spillway },
    drgn: { type: "string", default: DEFAULT_PATHS.drgn },
    all: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (options.help || options.dumps === undefined || options.vmlinux === undefined) {
  console.log(USAGE);
  process.exit(options.help ? 0 : 2);
}
const drgn = findProgram(options.drgn);
const spillway = findSpillway(options.spillway);
if (drgn === null || "missing" in spillway) {
  console.error(`not found: ${drgn === null ? options.drgn : options.spillway}`);
  process.exit(2);
}

const results = globSync(join(options.dumps, "*", "result.json"))
  .map(dirname)
  .filter((folder) => folder.includes(options.only) && existsSync(join(folder, "vmcore")))
  .sort()
  .map((folder) => ({ run: folder.slice(folder.lastIndexOf("/") + 1), ...judge(folder) }));

if (options.json) console.log(JSON.stringify(results, null, 2));
else {
  const columns: Column[] = ["run", "frames", "in modules", "inlined", "equal", "different"].map((title, i) => ({
    title,
    align: i === 0 ? "left" : "right",
  }));
  const rows = results.map((one) =>
    one.error !== null
      ? [one.run, one.error, "", "", "", ""]
      : [one.run, ...[one.frames, one.modules, one.inlined, one.equal, one.differences.length].map(String)],
  );
  const sum = (of: (one: (typeof results)[number]) => number) => String(results.reduce((all, one) => all + of(one), 0));
  rows.push([
    "all",
    sum((one) => one.frames),
    sum((one) => one.modules),
    sum((one) => one.inlined),
    sum((one) => one.equal),
    sum((one) => one.differences.length),
  ]);
  console.log(textTable(columns, rows));
  for (const { run, differences } of results) {
    for (const one of differences)
      console.log(`${run} ${one.address}\n  spillway ${one.ours}\n  drgn     ${one.theirs}`);
  }
}
process.exitCode = results.some((one) => one.error !== null || one.differences.length > 0) ? 1 : 0;

interface Judged {
  readonly frames: number;
  readonly modules: number;
  readonly inlined: number;
  readonly equal: number;
  readonly differences: readonly { readonly address: string; readonly ours: string; readonly theirs: string }[];
  readonly error: string | null;
}

function judge(folder: string): Judged {
  const dump = join(folder, "vmcore");
  const failed = (error: string | null): Judged => ({
    frames: 0,
    modules: 0,
    inlined: 0,
    equal: 0,
    differences: [],
    error: error ?? "no output",
  });
  const ours = askSpillway(dump, releaseOf(folder));
  if (typeof ours === "string") return failed(ours);
  const subject = { dump, vmlinux: vmlinuxOf(releaseOf(folder)), modules: modulesOf(releaseOf(folder)) };
  const run = runMeasured(drgnCommand(drgn as string, subject, drgnSources(ours.map((frame) => frame.pc))));
  const theirs = parseDrgnSources(run.stdout);
  if (theirs === null) return failed(lastWords(run.stderr));
  process.stderr.write(".");
  return { ...compareSources(ours, theirs), error: null };
}

/** The proven frames of the crashed task, or of all. */
function askSpillway(dump: string, release: string): ProvenFrame[] | string {
  const cli = (args: readonly string[]) => runMeasured({ file: process.execPath, args: [options.spillway, ...args] });
  const tasks: string[] = [];
  if (options.all) {
    const ps = cli(["ps", dump, "--json"]);
    const listed = JSON.parse(ps.stdout || "[]") as { address: string }[] | { tasks: { address: string }[] };
    tasks.push(...(Array.isArray(listed) ? listed : listed.tasks).map((task) => task.address));
  }
  const paths = [vmlinuxOf(release), ...(options.modules === undefined ? [] : [options.modules])];
  const run = cli(["bt", dump, ...tasks, "--json", "--debuginfo", ...paths]);
  return provenFrames(run.stdout) ?? lastWords(run.stderr) ?? `exit status ${run.status}`;
}

function releaseOf(folder: string): string {
  const { kernel } = JSON.parse(readFileSync(join(folder, "result.json"), "utf8")) as { kernel: { release: string } };
  return kernel.release;
}

function vmlinuxOf(release: string): string {
  return join(options.vmlinux as string, `vmlinux-${release}`);
}

function modulesOf(release: string): string[] {
  return options.modules === undefined ? [] : globSync(join(options.modules, release, "**/*.ko"));
}
