/**
 * `npm start`: diagnoses the sample that comes with the sources, so that a first look needs no dump of one's own.
 * `npm start -- FILE` diagnoses another dump, `npm start -- COMMAND …` runs any command.
 */
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { SpillwayError } from "@spillway/core";
import { processContext } from "./command-line.ts";
import { printError } from "./print-error.ts";
import { run } from "./run.ts";
import { tuneEngine } from "./tune-engine.ts";

/** The first sample by name. */
function sample(): string {
  const folder = join(import.meta.dirname, "..", "..", "..", "samples");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".kdump")) : [];
  const first = names.sort()[0];
  if (first === undefined) {
    throw new SpillwayError("SPW_SAMPLE_MISSING", "there is no sample in samples/", {
      class: "environment",
      hint: "npm start -- FILE diagnoses a dump of your own",
    });
  }
  return relative(process.cwd(), join(folder, first));
}

// npm runs this in the workspace's root; the files that a person names are relative to where the person is.
const here = process.env.INIT_CWD;
if (here !== undefined && existsSync(here)) process.chdir(here);
tuneEngine();
const context = processContext();
try {
  const given = process.argv.slice(2);
  const args = given.length > 0 ? given : ["diagnose", sample()];
  process.exitCode = await run(args, context, { diagnoseByDefault: true });
} catch (error) {
  process.exitCode = printError(error, context.terminal, false);
}
