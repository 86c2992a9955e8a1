import { SpillwayError, type Task } from "@spillway/core";
import type { Context, OpenedDump } from "../context.ts";
import { EXIT_OK } from "../exit-code.ts";
import { formatFocus } from "../format/focus.ts";
import { printError } from "../print-error.ts";
import { buildProgram } from "../program.ts";
import { findTask } from "../task.ts";
import { parseLine, type ShellCommand } from "./parse-line.ts";
import { NOT_AT_PROMPT, withoutFile } from "./shell-words.ts";
import { SystemShell, sinkTerminal, systemText } from "./sink.ts";

/** Runs one command line as `spillway` would; hands back its exit code. */
export type RunCommand = (args: readonly string[], context: Context) => Promise<number>;

const HELP = `
At the prompt:
  COMMAND ...            a command on the dump that is open: no file is named
  COMMAND | PROGRAM      its output through any program; > FILE and >> FILE keep it
  COMMAND; COMMAND       one after the other
  set [PID|TASK]         the task that bt is about from now on; "set -p" goes back to the one that panicked
  help [COMMAND]         this, or more about a command
  ! LINE                 a line for sh
  exit, quit, q          leave (Ctrl-D too)
`;

/** The commands of `spillway` at a prompt, on a dump that stays open. */
export class Shell {
  readonly dump: OpenedDump;
  readonly #context: Context;
  readonly #run: RunCommand;
  #focus: Task | null = null;
  /** Set once somebody asked to leave. */
  left = false;

  constructor(dump: OpenedDump, context: Context, run: RunCommand) {
    this.dump = dump;
    this.#context = context;
    this.#run = run;
  }

  /** The commands there are at the prompt, each with its options. */
  get commands(): ReadonlyMap<string, readonly string[]> {
    const usable = buildProgram(this.#context).commands.filter((command) => !NOT_AT_PROMPT.has(command.name()));
    return new Map(
      usable.map((command) => [
        command.name(),
        command.options.flatMap(({ short, long }) => [short, long].filter((option) => option != null)),
      ]),
    );
  }

  /**
   * Runs a line and prints what goes wrong.
   * @returns the exit code of the last command; with `stopOnError`, of the first that failed
   */
  async execute(line: string, stopOnError = false): Promise<number> {
    let code: number = EXIT_OK;
    try {
      for (const command of parseLine(line)) {
        code = await this.#command(command);
        if (this.left || (stopOnError && code !== EXIT_OK)) break;
      }
    } catch (error) {
      return printError(error, this.#context.terminal, false);
    }
    return code;
  }

  async #command({ words, sink, system }: ShellCommand): Promise<number> {
    if (system !== null) return new SystemShell(system, false).end();
    if (sink === null) return this.#builtinOrCommand(words, this.#context.terminal);
    const shell = new SystemShell(systemText(sink), true);
    const own = await this.#builtinOrCommand(words, sinkTerminal(this.#context.terminal, shell));
    const theirs = await shell.end();
    return own === EXIT_OK ? theirs : own;
  }

  async #builtinOrCommand(words: readonly string[], terminal: Context["terminal"]): Promise<number> {
    const [name, ...rest] = words as [string, ...string[]];
    const atPrompt: Context["terminal"] = {
      ...terminal,
      write: (text) => terminal.write(text),
      writeError: (text) => terminal.writeError(withoutFile(text)),
    };
    const context: Context = {
      terminal: atPrompt,
      open: () => this.dump,
      focus: this.#focus,
      atPrompt: true,
    };
    if (name === "exit" || name === "quit" || name === "q") {
      this.left = true;
      return EXIT_OK;
    }
    try {
      if (name === "set") return this.#set(rest, atPrompt);
      if (NOT_AT_PROMPT.has(name)) {
        throw new SpillwayError("SPW_USAGE", `"${name}" has no use at the prompt`, {
          class: "usage",
          hint: `leave with "exit", or run it with "! spillway ${name}"`,
        });
      }
      if (name === "help" || name === "?" || name === "man") {
        if (rest.length > 0) return await this.#run([rest[0]!, "--help"], context);
        const code = await this.#run(["--help"], context);
        atPrompt.write(HELP);
        return code;
      }
    } catch (error) {
      return printError(error, atPrompt, false);
    }
    return this.#run([name, ...this.dump.files.slice(0, 1), ...rest], context);
  }

  /** The task that `bt` is about when it is given none. */
  #set(words: readonly string[], terminal: Context["terminal"]): number {
    const { kernel } = this.dump;
    if (words[0] === "-p") this.#focus = null;
    else if (words[0] !== undefined) this.#focus = findTask(kernel, words[0]);
    const task = this.#focus ?? (kernel.panic.task === null ? null : kernel.task(kernel.panic.task));
    if (task === null) {
      throw new SpillwayError("SPW_TASK_UNKNOWN", "this dump does not tell which task panicked", {
        class: "missing",
        hint: "ps lists the tasks; set PID chooses one",
      });
    }
    terminal.write(formatFocus(kernel, task, this.#focus === null));
    return EXIT_OK;
  }
}
