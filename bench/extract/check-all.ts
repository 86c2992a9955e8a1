/**
 * Extracts every dump in a folder and compares the diagnosis of the extract with that of the whole, byte for byte of their
 * JSON but for `input`.
 *
 *   node bench/extract/check-all.ts DIR [PART-OF-A-NAME…] [--keep FOLDER]
 *
 * Dumps are files named vmcore, *.elf and *.kdump, in DIR and in its folders. Ends with status 1 where one differs.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { deflateSync } from "node:zlib";
import { diagnose, extractDump, SpillwayError, sameDiagnosis } from "@spillway/core";
import { openFiles } from "../../packages/cli/src/io/open-files.ts";
import { writeWhole } from "../../packages/cli/src/io/output-file.ts";

const { positionals, values } = parseArgs({ allowPositionals: true, options: { keep: { type: "string" } } });
const [folder, ...parts] = positionals;
if (folder === undefined) throw new Error("usage: node bench/extract/check-all.ts DIR [PART…] [--keep FOLDER]");
const target = values.keep ?? mkdtempSync(join(tmpdir(), "spillway-extract-"));
mkdirSync(target, { recursive: true });

function dumpsIn(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => /(^|\/)vmcore$|\.(elf|kdump)$/.test(name))
    .filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))
    .sort()
    .map((name) => join(path, name));
}

const MIB = 1024 * 1024;
const mib = (bytes: number): string => (bytes / MIB).toFixed(1).padStart(6);

let equal = 0;
let different = 0;
for (const file of dumpsIn(folder)) {
  const name = basename(file) === "vmcore" ? basename(dirname(file)) : basename(file);
  const small = join(target, `${name.replace(/\.(elf|kdump)$/, "")}.small.kdump`);
  try {
    const started = performance.now();
    const whole = openFiles([file]).kernel;
    const result = writeWhole(small, true, (sink) =>
      extractDump(whole.image, sink, { compress: (page) => deflateSync(page, { level: 9 }) }),
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const told = diagnose(whole, { path: file });
    const again = diagnose(openFiles([small]).kernel, { path: small });
    const same = sameDiagnosis(told, again);
    if (same) equal++;
    else different++;
    const size = statSync(file).size;
    const remarks = [
      result.userPages > 0 ? `${result.userPages} user pages left out` : "",
      result.freePages > 0 ? `${result.freePages} free ones` : "",
      ...result.unchecked,
      result.vmcoreinfoFromMemory ? "VMCOREINFO from memory" : "",
    ].filter((remark) => remark !== "");
    const line = [
      same ? "equal    " : "DIFFERENT",
      name.padEnd(44),
      `${mib(size)} -> ${mib(result.size)} MiB`,
      `1/${Math.round(size / result.size)}`.padStart(5),
      `${seconds} s`,
      told.verdict.kind,
      ...remarks,
    ];
    console.log(line.join("  "));
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error;
    different++;
    console.log(`FAILED     ${name}: ${error.code}: ${error.message}`);
  } finally {
    if (values.keep === undefined) rmSync(small, { force: true });
  }
}
if (values.keep === undefined) rmSync(target, { recursive: true, force: true });
console.log(`${equal} equal, ${different} different or failed`);
process.exitCode = different > 0 ? 1 : 0;
