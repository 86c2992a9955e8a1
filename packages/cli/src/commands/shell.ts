import { readFileSync } from "node:fs";
import { SpillwayError } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT_OK } from "../exit-code.ts";
import type { RunCommand } from "../shell/shell.ts";
import { type DumpOptions, dumpCommand, openAll } from "./dump-command.ts";

interface ShellOptions extends DumpOptions {
  readonly c?: string;
  readonly i?: string;
  readonly e?: boolean;
}

function readScript(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new SpillwayError("SPW_SCRIPT_UNREADABLE", `${path}: ${(cause as Error).message}`, {
      class: "input",
      facts: { path },
      cause,
    });
  }
}

/** `spillway shell`: the commands at a prompt. What runs them is handed in, as it runs this command too. */
export function registerShell(program: Command, context: Context, run: RunCommand): void {
  dumpCommand(program, {
    name: "shell",
    usesDebugInfo: true,
    summary: "the same commands at a prompt, on one open dump",
    description:
      "the same commands at a prompt, on a dump that stays open: history, completion, | programs, > files; or a script.\n" +
      "Lines come from the terminal, from a pipe, from -c or from a file.",
    examples: [
      ["shell vmcore", 'a prompt; "help" says what there is'],
      ["shell vmcore -c 'bt; log | tail -20'", "a script in one line"],
      ["shell vmcore -i commands.txt", "the commands in a file, then the prompt"],
    ],
  })
    .argument("<file...>", "the dump; several files for a split set")
    .option("-c <commands>", "run these and leave")
    .option("-i <script>", "run the commands in a file first")
    .option("-e", "leave at the first command that fails")
    .action(async (files: string[], options: ShellOptions) => {
      const script = options.i === undefined ? "" : readScript(options.i);
      const { Shell } = await import("../shell/shell.ts");
      const { readLines } = await import("../shell/read-lines.ts");
      const shell = new Shell(openAll(context, files, options), context, run);
      const lines = [...script.split(/\r?\n/), ...(options.c === undefined ? [] : [options.c])];
      let code: number = EXIT_OK;
      const stop = (): boolean => shell.left || (options.e === true && code !== EXIT_OK);
      for (const line of lines) {
        if (!stop()) code = await shell.execute(line, options.e);
      }
      if (options.c === undefined && !stop())
        code = await readLines(shell, context.terminal, { stopOnError: options.e ?? false });
      context.exitWith?.(code);
    });
}
