/**
 * A whole budget of a boot image (every function, every path, as JSON) beside what there was before: the same kernel's code
 * through `objdump -d` and the kernel's scripts/checkstack.pl, which lists large frames.
 *
 *     npm run build
 *     node_modules/.bin/node bench/budget/speed.ts VMLINUZ [--modules DIR] [--checkstack FILE] [--runs N]
 *
 * checkstack.pl is looked for where Debian's linux-kbuild packages have it. A boot image has no symbol table: the peer gets
 * one, made of kallsyms, so that it knows functions as we do. "Asked again" is what the next question about the same kernel
 * takes, whose calls are known from the first one (in a cache of the run's own). Processor time is that of all processes of a run, memory that of
 * its largest process.
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FileSource } from "../../packages/cli/src/io/file-source.ts";
import { nodeUnpackers } from "../../packages/cli/src/io/node-unpackers.ts";
import { openProgramFile } from "../../packages/cli/src/io/open-program.ts";
import { unpackBootImage } from "../../packages/core/src/program/boot-image.ts";
import { median } from "../lib/stats.ts";
import { textTable } from "../lib/table.ts";

const SPILLWAY = join(import.meta.dirname, "../../packages/cli/dist/spillway.js");

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { modules: { type: "string" }, checkstack: { type: "string" }, runs: { type: "string", default: "3" } },
});
const [kernel] = positionals;
const checkstack = values.checkstack ?? globSync("/usr/lib/linux-kbuild-*/scripts/checkstack.pl")[0];
if (kernel === undefined || checkstack === undefined) {
  console.error("usage: speed.ts VMLINUZ [--modules DIR] [--checkstack FILE] [--runs N]");
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "spillway-speed-"));
process.env.XDG_CACHE_HOME = join(folder, "cache");
try {
  const vmlinux = join(folder, "vmlinux");
  writeWithSymbols(kernel, vmlinux);
  const budget = (title: string, options: string, ...args: string[]) =>
    measure(title, `"$1" "$2" budget "$3" --json ${options} >/dev/null`, kernel, ...args);
  const rows = [
    measure("objdump -d | checkstack.pl", `objdump -d "$3" | perl "$4" x86_64 >/dev/null`, vmlinux, checkstack),
    budget("spillway budget --json", "--no-cache"),
    budget("the same, asked again", ""),
    measure("budget path write, asked again", `"$1" "$2" budget path "$3" write >/dev/null`, kernel),
    ...(values.modules === undefined
      ? []
      : [
          budget("spillway budget --json --modules", `--no-cache --modules "$4"`, values.modules),
          budget("the same, asked again", `--modules "$4"`, values.modules),
        ]),
  ];
  const right = (title: string) => ({ title, align: "right" }) as const;
  console.log(
    textTable([{ title: "", align: "left" }, right("seconds"), right("processor s"), right("peak MiB")], rows),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The kernel as an ELF file with the functions of its kallsyms as symbols. */
function writeWithSymbols(bootImage: string, path: string): void {
  writeFileSync(path, unpackBootImage(new FileSource(bootImage), nodeUnpackers));
  const program = openProgramFile(bootImage);
  const text = program.text.find((area) => !area.init);
  if (text === undefined) throw new Error(`${bootImage}: where its code is, is not known`);
  const options: string[] = [];
  for (const { name, address, type } of program.symbols.all()) {
    if (!/^[tTwW]$/.test(type) || address < text.start || address >= text.end) continue;
    options.push(`--add-symbol ${name}=.text:0x${(address - text.start).toString(16)},function`);
  }
  const list = join(folder, "symbols");
  writeFileSync(list, options.join("\n"));
  const { status, stderr } = spawnSync("objcopy", [`@${list}`, path], { encoding: "utf8" });
  if (status !== 0) throw new Error(`objcopy: ${stderr}`);
}

/** Runs a line of shell, with Node as $1 and spillway as $2, and takes the middle of some runs. */
function measure(title: string, line: string, ...args: string[]): string[] {
  const runs = Array.from({ length: Number(values.runs) }, () => {
    const figures = join(folder, "figures");
    const shell = ["sh", "-c", line, "sh", process.execPath, SPILLWAY, ...args];
    const { status } = spawnSync("/usr/bin/time", ["-f", "%e %U %S %M", "-o", figures, ...shell], { stdio: "inherit" });
    if (status !== 0) throw new Error(`${title}: ended with ${status}`);
    const [seconds, user, system, peak] = readFileSync(figures, "utf8").split(" ").map(Number);
    return { seconds: seconds!, processor: user! + system!, peak: peak! / 1024 };
  });
  const middle = (of: (run: (typeof runs)[number]) => number) => median(runs.map(of));
  return [
    title,
    middle((run) => run.seconds).toFixed(1),
    middle((run) => run.processor).toFixed(1),
    middle((run) => run.peak).toFixed(0),
  ];
}
