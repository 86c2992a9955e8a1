/**
 * Are parameters and locals right? Spillway's of the crashed thread against drgn's, over a folder of lab runs. See
 * bench/README.md.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { findProgram } from "../lib/find-program.ts";
import { lastWords } from "../lib/last-words.ts";
import { runMeasured } from "../lib/run-measured.ts";
import { type Column, textTable } from "../lib/table.ts";
import {
  type ComparedVariables,
  compareVariables,
  DRGN_VARIABLES,
  parseDrgnVariables,
  printedVariables,
} from "./compare-variables.ts";
import { DEFAULT_PATHS, drgnCommand, findSpillway } from "./tools.ts";

const USAGE = `usage: node bench/compare/variables.ts --dumps FOLDER --vmlinux FOLDER [--modules FOLDER] [--only TEXT]
         [--spillway FILE] [--drgn FILE]

  --dumps FOLDER    one folder a lab run in it, with vmcore and result.json (spillway lab run)
  --vmlinux FOLDER  with vmlinux-RELEASE of each kernel (…/usr/lib/debug/boot)
  --modules FOLDER  modules with debug information, below it in a folder RELEASE (the lab's: ~/.cache/spillway/modules)
  --only TEXT       just the runs with this in their name`;

const { values: options } = parseArgs({
  options: {
    dumps: { type: "string" },
    vmlinux: { type: "string" },
    modules: { type: "string" },
    only: { type: "string", default: "" },
    spillway: { type: "string", default: DEFAULT_PATHS.spillway },
    drgn: { type: "string", default: DEFAULT_PATHS.drgn },
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
  .map((folder) => ({ run: folder.slice(folder.lastIndexOf("/") + 1), judged: judge(folder) }));

const columns: Column[] = ["run", "equal", "Spillway only", "drgn only", "different"].map((title, i) => ({
  title,
  align: i === 0 ? "left" : "right",
}));
const sums = [0, 0, 0, 0];
const rows = results.map(({ run, judged }) => {
  if (typeof judged === "string") return [run, judged, "", "", ""];
  const counts = [judged.equal, judged.oursOnly, judged.theirsOnly.length, judged.different.length];
  counts.forEach((count, at) => {
    sums[at]! += count;
  });
  return [run, ...counts.map(String)];
});
console.log(textTable(columns, [...rows, ["all", ...sums.map(String)]]));
for (const { run, judged } of results) {
  if (typeof judged === "string") continue;
  for (const one of [...judged.different, ...judged.theirsOnly]) console.log(`${run} ${one}`);
}
process.exitCode = results.some(({ judged }) => typeof judged === "string" || judged.different.length > 0) ? 1 : 0;

function judge(folder: string): ComparedVariables | string {
  const dump = join(folder, "vmcore");
  const { kernel } = JSON.parse(readFileSync(join(folder, "result.json"), "utf8")) as { kernel: { release: string } };
  const vmlinux = join(options.vmlinux as string, `vmlinux-${kernel.release}`);
  const modules = options.modules === undefined ? [] : globSync(join(options.modules, kernel.release, "**/*.ko"));
  const directories = options.modules === undefined ? [] : [options.modules];
  const bt = ["bt", dump, "--locals", "--json", "--debuginfo", vmlinux, ...directories];
  const ours = runMeasured({ file: process.execPath, args: [options.spillway, ...bt] });
  const printed = printedVariables(ours.stdout);
  if (printed === null) return lastWords(ours.stderr) ?? `exit status ${ours.status}`;
  const run = runMeasured(drgnCommand(drgn as string, { dump, vmlinux, modules }, DRGN_VARIABLES));
  const theirs = parseDrgnVariables(run.stdout);
  if (theirs === null) return lastWords(run.stderr) ?? "no output";
  process.stderr.write(".");
  return compareVariables(printed, theirs);
}
