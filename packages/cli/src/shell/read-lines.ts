import { constants } from "node:os";
import { createInterface } from "node:readline";
import { carriedTypes, type Kernel } from "@spillway/core";
import { EXIT_OK } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../text/printable.ts";
import { Completer } from "./complete.ts";
import { HISTORY_LINES, historyFile, loadHistory, saveHistory } from "./history.ts";
import type { Shell } from "./shell.ts";

/** The exit code of a program that Ctrl-C ended, as shells say it. */
const INTERRUPTED = 128 + constants.signals.SIGINT;

/** What a person sees first: which crash this is. */
function greeting(kernel: Kernel, terminal: Terminal): string {
  const { bold, dim } = terminal.colors;
  const message = printable(kernel.panic.message ?? "no panic message");
  return `${bold(printable(kernel.release))}  ${message}\n${dim('"diagnose" says what happened; "help" lists the commands; TAB completes')}\n`;
}

/**
 * Reads lines from standard input until its end or until the shell is left: at a prompt on a terminal, silently otherwise.
 * @returns the exit code of the last command
 */
export async function readLines(
  shell: Shell,
  terminal: Terminal,
  options: { readonly stopOnError: boolean },
): Promise<number> {
  const { stdin, stdout } = process;
  const prompting = stdin.isTTY === true && stdout.isTTY === true;
  const file = historyFile();
  const { kernel } = shell.dump;
  const completer = new Completer(kernel.symbols, carriedTypes(kernel), shell.commands);
  const lines = createInterface({
    input: stdin,
    ...(prompting
      ? {
          output: stdout,
          terminal: true,
          prompt: "spillway> ",
          history: loadHistory(file),
          historySize: HISTORY_LINES,
          removeHistoryDuplicates: true,
          completer: (line: string) => completer.complete(line),
        }
      : { crlfDelay: Number.POSITIVE_INFINITY }),
  });
  if (prompting) {
    terminal.write(greeting(kernel, terminal));
    lines.on("history", (history: string[]) => saveHistory(file, history));
    // Ctrl-C takes back what was typed.
    lines.on("SIGINT", () => {
      terminal.write("^C\n");
      (lines as unknown as { line: string; cursor: number }).line = "";
      (lines as unknown as { line: string; cursor: number }).cursor = 0;
      lines.prompt();
    });
    lines.prompt();
  }
  let code: number = EXIT_OK;
  for await (const line of lines) {
    // A program on the other side of a pipe has the keyboard while it runs.
    if (prompting) {
      lines.pause();
      stdin.setRawMode(false);
    }
    code = await shell.execute(line, options.stopOnError);
    // What Ctrl-C ended left its "^C" on the line.
    if (prompting && code === INTERRUPTED) terminal.write("\n");
    if (shell.left || (options.stopOnError && code !== EXIT_OK)) break;
    if (prompting) {
      stdin.setRawMode(true);
      lines.resume();
      lines.prompt();
    }
  }
  if (prompting && !shell.left) terminal.write("\n");
  lines.close();
  return code;
}
