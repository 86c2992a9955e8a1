/** The command line with all its commands: what the main thread of `spillway` runs. */
import type { Context } from "./context.ts";
import { findCallsAside } from "./io/find-calls-thread.ts";
import { keptGraphs } from "./io/kept-graphs.ts";
import { openFiles } from "./io/open-files.ts";
import { openDeclaredTypeFiles, openProgramFile } from "./io/open-program.ts";
import { openTextInput } from "./io/text-input.ts";
import { run } from "./run.ts";
import { processTerminal } from "./terminal.ts";

/** What commands are given that run in this process, on its files and its terminal. */
export function processContext(): Context {
  return {
    terminal: processTerminal(),
    open: openFiles,
    openText: openTextInput,
    openProgram: openProgramFile,
    openDeclaredTypes: openDeclaredTypeFiles,
    findCalls: findCallsAside,
    graphs: keptGraphs,
  };
}

/**
 * Runs the process's own command line.
 * @returns the exit code
 */
export function commandLine(): Promise<number> {
  return run(process.argv.slice(2), processContext());
}
