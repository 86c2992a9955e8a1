import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { findProgram } from "../lib/find-program.ts";
import { type Command, type Run, runMeasured } from "../lib/run-measured.ts";

export type ToolName = "spillway" | "drgn" | "crash";

/** What to work on. The peers need the debug vmlinux of the very kernel; Spillway is given the dump alone. */
export interface Subject {
  readonly dump: string;
  readonly vmlinux: string | null;
  /** Debug information of modules, for drgn. */
  readonly modules?: readonly string[];
}

/** A tool that was found, and how it is asked for the crashed thread's backtrace. */
export interface Tool {
  readonly name: ToolName;
  readonly version: string;
  /** What a run of it prints. */
  readonly gives: string;
  backtrace(subject: Subject): Command;
  /** Whether the run printed what it was asked for. An exit status alone does not tell: crash leaves a failed `bt` with 0. */
  succeeded(run: Run): boolean;
}

export interface MissingTool {
  readonly name: ToolName;
  readonly missing: string;
}

export interface ToolPaths {
  readonly spillway: string;
  readonly drgn: string;
  readonly crash: string;
}

const REPOSITORY = resolve(import.meta.dirname, "../..");
/** The interpreter that package.json pins, so that the figures do not depend on the machine's own Node. */
const PINNED_NODE = resolve(REPOSITORY, "node_modules/.bin/node");

export const DEFAULT_PATHS: ToolPaths = {
  spillway: resolve(REPOSITORY, "packages/cli/dist/spillway.js"),
  drgn: "drgn",
  crash: "crash",
};

const DRGN_TRACE = "print(prog.crashed_thread().stack_trace())";

/** drgn: `-q` because it warns about each module without debug information. */
export function findDrgn(path: string): Tool | MissingTool {
  const file = findProgram(path);
  if (file === null) return { name: "drgn", missing: path };
  return {
    name: "drgn",
    version: versionOf({ file, args: ["--version"] }),
    gives: "backtrace",
    backtrace: (subject) => drgnCommand(file, subject, DRGN_TRACE),
    succeeded: (run) => run.status === 0 && /^#0 /m.test(run.stdout),
  };
}

/** The command that opens the subject in drgn and runs a line of Python there. */
export function drgnCommand(file: string, subject: Subject, code: string): Command {
  const symbols = [subject.vmlinux ?? "", ...(subject.modules ?? [])].flatMap((path) => ["-s", path]);
  return { file, args: ["-q", "-c", subject.dump, ...symbols, "-e", code] };
}

/** crash: without the user's ~/.crashrc; `-s` leaves out the banner. It takes its commands from standard input. */
export function findCrash(path: string): Tool | MissingTool {
  const file = findProgram(path);
  if (file === null) return { name: "crash", missing: path };
  return {
    name: "crash",
    version: versionOf({ file, args: ["--version"] }),
    gives: "backtrace",
    backtrace: ({ dump, vmlinux }) => ({
      file,
      args: ["-s", "--no_crashrc", vmlinux ?? "", dump],
      input: "bt\nquit\n",
    }),
    succeeded: (run) => /^ *#0 \[/m.test(run.stdout),
  };
}

/** Spillway: a bundled script is run by the pinned Node, anything else as a program of its own. */
export function findSpillway(path: string): Tool | MissingTool {
  const script = /\.[cm]?[jt]s$/.test(path);
  const file = script ? findProgram(PINNED_NODE) : findProgram(path);
  if (script && !existsSync(path)) return { name: "spillway", missing: `${path} (npm run build makes it)` };
  if (file === null) return { name: "spillway", missing: script ? PINNED_NODE : path };
  const before = script ? [resolve(path)] : [];
  return {
    name: "spillway",
    version: versionOf({ file, args: [...before, "--version"] }),
    gives: "verdict + backtrace",
    backtrace: ({ dump }) => ({ file, args: [...before, "diagnose", dump] }),
    succeeded: (run) => run.status === 0 && run.stdout.trim() !== "",
  };
}

/** Spillway first: the order of the table, and of the runs. */
export function findTools(paths: ToolPaths): (Tool | MissingTool)[] {
  return [findSpillway(paths.spillway), findDrgn(paths.drgn), findCrash(paths.crash)];
}

function versionOf(command: Command): string {
  return /\d+(?:\.\d+)+[\w.+-]*/.exec(runMeasured(command).stdout)?.[0] ?? "?";
}
