/**
 * Diagnoses every dump of a folder twice, from its memory and from the log in it, and says how far the log carries.
 *
 *   node bench/text/logs-of-dumps.ts DIR…        (folders with a vmcore each, or below them)
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Diagnosis, diagnose, openDump, openKernel, openText, SpillwayError } from "@spillway/core";
import { FileSource } from "../../packages/cli/src/io/file-source.ts";
import { nodeCodecs } from "../../packages/cli/src/io/node-codecs.ts";

function dumpsIn(directory: string): string[] {
  if (existsSync(join(directory, "vmcore"))) return [join(directory, "vmcore")];
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name, "vmcore"))
    .filter((path) => existsSync(path) && statSync(path).isFile());
}

function bare(name: string | undefined): string {
  return (name ?? "-").replace(/\.(?:isra|constprop|part|cold).*$/, "");
}

function ofLog(text: string, path: string): Diagnosis | null {
  try {
    return openText(text, path).diagnose();
  } catch (error) {
    if (error instanceof SpillwayError && error.code === "SPW_TEXT_NO_CRASH") return null;
    throw error;
  }
}

const counts = { dumps: 0, silent: 0, kind: 0, culprit: 0, open: 0, wrong: 0 };
for (const path of process.argv.slice(2).flatMap(dumpsIn)) {
  const source = new FileSource(path);
  const kernel = openKernel(openDump([source], { codecs: nodeCodecs }));
  const whole = diagnose(kernel, { path });
  const text = kernel
    .log()
    .map((record) => `[${(Number(record.timestamp) / 1e9).toFixed(6).padStart(12)}] ${record.text}\n`)
    .join("");
  const told = ofLog(text, path);
  source.close();
  counts.dumps++;
  const memory = `${whole.verdict.kind} ${bare(whole.verdict.culprit?.function)}`;
  const name = path.split("/").at(-2)!;
  if (told === null) {
    counts.silent++;
    process.stdout.write(`silent  ${name}: the log has no crash | ${memory}\n`);
    continue;
  }
  const { verdict } = told;
  const same = verdict.kind === whole.verdict.kind;
  const function_ = bare(verdict.culprit?.function) === bare(whole.verdict.culprit?.function);
  // "undetermined" and "possible" claim nothing.
  const open = verdict.kind === "undetermined" || verdict.confidence === "possible";
  if (same) counts.kind++;
  else if (open) counts.open++;
  else counts.wrong++;
  if (same && function_) counts.culprit++;
  const mark = same ? (function_ ? "same" : "kind") : open ? "open" : "WRONG";
  process.stdout.write(
    `${mark.padEnd(7)} ${name}: ${verdict.kind} (${verdict.confidence}) ${bare(verdict.culprit?.function)} | ${memory}\n`,
  );
}
process.stdout.write(
  `\n${counts.dumps} dumps: ${counts.kind} logs give the kind that the memory gives, ${counts.culprit} of them the function too; ` +
    `${counts.open} leave it open, ${counts.wrong} say likely and another; ${counts.silent} have no crash in the log\n`,
);
