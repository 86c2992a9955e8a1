#!/usr/bin/env node
/** The `spillway` command. */
import { openFiles } from "./io/open-files.ts";
import { openProgramFile } from "./io/open-program.ts";
import { openTextInput } from "./io/text-input.ts";
import { run } from "./run.ts";
import { processTerminal } from "./terminal.ts";
import { tuneEngine } from "./tune-engine.ts";

tuneEngine();
process.exitCode = await run(process.argv.slice(2), {
  terminal: processTerminal(),
  open: openFiles,
  openText: openTextInput,
  openProgram: openProgramFile,
});
