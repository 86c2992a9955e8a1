#!/usr/bin/env node
/** The `spillway` command. */
import { isMainThread } from "node:worker_threads";
import { findCallsAside } from "./io/find-calls-thread.ts";
import { openFiles } from "./io/open-files.ts";
import { openDeclaredTypeFiles, openProgramFile } from "./io/open-program.ts";
import { openTextInput } from "./io/text-input.ts";
import { run } from "./run.ts";
import { processTerminal } from "./terminal.ts";
import { tuneEngine } from "./tune-engine.ts";

tuneEngine();
// Bundled, this file is what another thread begins with as well: that one's work begins where it is imported.
if (isMainThread) {
  process.exitCode = await run(process.argv.slice(2), {
    terminal: processTerminal(),
    open: openFiles,
    openText: openTextInput,
    openProgram: openProgramFile,
    openDeclaredTypes: openDeclaredTypeFiles,
    findCalls: findCallsAside,
  });
}
