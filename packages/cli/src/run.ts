import { SpillwayError } from "@spillway/core";
import { CommanderError } from "commander";
import { registerShell } from "./commands/shell.ts";
import type { Context } from "./context.ts";
import { EXIT_OK } from "./exit-code.ts";
import { printError } from "./print-error.ts";
import { buildProgram, commandNames } from "./program.ts";
import { OutputClosed } from "./terminal.ts";

export interface RunOptions {
  /** Take a first argument that is no command as a file to diagnose. */
  readonly diagnoseByDefault?: boolean;
}

/** crash's `-16`, `-32` and `-64` are no options that a parser of one-letter options could take. */
function expandWordSizes(args: readonly string[]): string[] {
  if (args[0] !== "rd") return [...args];
  return args.map((arg) => (/^-(8|16|32|64)$/.test(arg) ? `--bits=${arg.slice(1)}` : arg));
}

/** Turns a parser's complaint into ours; null where it only printed help or the version. */
function usageError(error: CommanderError, args: readonly string[], names: readonly string[]): SpillwayError | null {
  if (error.exitCode === 0) return null;
  // `spillway` alone prints its help as an error.
  const command = args.find((arg) => names.includes(arg));
  const message = error.code === "commander.help" ? "which command?" : error.message.replace(/^error: /, "");
  return new SpillwayError("SPW_USAGE", message.replaceAll(/\s*\n\s*/g, " "), {
    class: "usage",
    hint: `see ${["spillway", command, "--help"].filter(Boolean).join(" ")}`,
  });
}

/**
 * Runs one command line and prints what goes wrong.
 * @param args without the program's own name
 * @returns the exit code
 */
export async function run(args: readonly string[], context: Context, options: RunOptions = {}): Promise<number> {
  const debug = args.includes("--debug");
  try {
    let code: number = EXIT_OK;
    const answering: Context = { ...context, exitWith: (theirs) => (code = theirs) };
    const program = buildProgram(answering);
    registerShell(program, answering, run);
    const names = commandNames(program);
    let words = expandWordSizes(args);
    const first = words.find((word) => word !== "--debug");
    if (options.diagnoseByDefault && first !== undefined && !first.startsWith("-") && !names.includes(first)) {
      words = ["diagnose", ...words];
    }
    try {
      await program.parseAsync(words, { from: "user" });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      const usage = usageError(error, words, names);
      if (usage !== null) throw usage;
    }
    return code;
  } catch (error) {
    if (error instanceof OutputClosed) return EXIT_OK;
    return printError(error, context.terminal, debug);
  }
}
