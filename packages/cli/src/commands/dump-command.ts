import { type Command, Option } from "commander";
import type { Context, OpenedDump } from "../context.ts";

export interface DumpOptions {
  readonly split?: readonly string[];
  readonly json?: boolean;
  /** Paths that were given, none for the usual places alone; false for `--no-debuginfo`. */
  readonly debuginfo?: readonly string[] | false;
}

export interface CommandText {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More for the command's own help. */
  readonly description?: string;
  /** Takes `--debuginfo`, and without it looks for debug information in the usual places. */
  readonly usesDebugInfo?: boolean;
  /** Command lines without "spillway", each with what it shows. */
  readonly examples: readonly (readonly [string, string])[];
}

/** Starts a command that reads a dump: the options all of them share, and its examples in the help. */
export function dumpCommand(program: Command, text: CommandText): Command {
  const width = Math.max(...text.examples.map(([command]) => command.length));
  const examples = text.examples.map(([command, shows]) => `  spillway ${command.padEnd(width)}  ${shows}`);
  const command = program
    .command(text.name)
    .summary(text.summary)
    .description(text.description ?? `${text.summary}.`)
    .option("--split <file...>", "further files of a split dump (put this option last)")
    .option("--json", "print one JSON document instead of text")
    .addHelpText("after", `\nExamples:\n${examples.join("\n")}`);
  if (text.usesDebugInfo !== true) return command;
  const help = "vmlinux, modules or directories with debug information (put this option last)";
  return command
    .addOption(new Option("--debuginfo <path...>", help).default([], "the usual places"))
    .option("--no-debuginfo", "look for no debug information");
}

/** Opens the dump of a command that takes one file argument and `--split`. */
export function openOne(context: Context, file: string, options: DumpOptions): OpenedDump {
  return openAll(context, [file], options);
}

/** Opens the dump of a command whose arguments are all files. */
export function openAll(context: Context, files: readonly string[], options: DumpOptions): OpenedDump {
  return context.open([...files, ...(options.split ?? [])], options.debuginfo || null);
}
