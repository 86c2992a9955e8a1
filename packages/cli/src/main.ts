#!/usr/bin/env node
/** The `spillway` command. */
import { isMainThread } from "node:worker_threads";
import { tuneEngine } from "./tune-engine.ts";

tuneEngine();
// Bundled, this file is what another thread begins with as well; that one has no use for the commands, and is not to wait for
// them.
if (isMainThread) {
  const { commandLine } = await import("./command-line.ts");
  process.exitCode = await commandLine();
} else await import("./io/find-calls-thread.ts");
