import { callersOf, entriesThrough } from "@spillway/core";
import { type Command, Option } from "commander";
import type { Context } from "../../context.ts";
import { formatCallers, formatEntriesThrough } from "../../format/budget/callers.ts";
import { formatPath } from "../../format/budget/path.ts";
import { toJson } from "../../json.ts";
import {
  addBudgetOptions,
  type BudgetOptions,
  INPUT_HELP,
  noteProblems,
  openBudget,
  wholeNumber,
} from "./budget-options.ts";

interface CallersOptions extends BudgetOptions {
  readonly deep?: boolean;
  readonly entries?: boolean;
  readonly limit: number;
}

export function registerCallers(budget: Command, context: Context): void {
  const command = budget
    .command("callers")
    .summary("who calls a function, and with --deep the deepest stack it may be called on")
    .description(
      "Lists who calls a function, those on the fullest stack first; with --deep the whole path to it from an entry, with\n" +
        "--entries all entries that lead to it.",
    )
    .argument("<input>", INPUT_HELP)
    .argument("<function>", "its name")
    .option("--deep", "the deepest path to it, frame by frame")
    .addOption(
      new Option("--entries", "the entries that lead to it, first those whose deepest path goes through it").conflicts(
        "deep",
      ),
    )
    .option("-n, --limit <n>", "callers or entries to list", wholeNumber, 30)
    .addHelpText(
      "after",
      `
Examples:
  spillway budget callers vmlinuz submit_bio_noacct
  spillway budget callers vmlinuz submit_bio_noacct --deep       how full a stack may be when it is called
  spillway budget callers vmlinuz submit_bio_noacct --entries    which system calls and handlers lead to it`,
    );
  addBudgetOptions(command).action((input: string, name: string, options: CallersOptions) => {
    const { level, limit } = options;
    const { terminal } = context;
    const opened = openBudget(context, input, options);
    noteProblems(context, opened.problems, input, options);
    if (options.deep) {
      const path = opened.callers(name, level);
      const drawn = { ...path, title: `The deepest path to ${name}`, stackBytes: opened.program.threadSize };
      terminal.write(options.json ? toJson(path) : formatPath(drawn, terminal));
      return;
    }
    if (options.entries) {
      const entries = entriesThrough(opened, name, level);
      terminal.write(options.json ? toJson(entries) : formatEntriesThrough(name, entries, { limit, level }, terminal));
      return;
    }
    const callers = callersOf(opened, name, level);
    terminal.write(options.json ? toJson(callers) : formatCallers(name, callers, { limit, level }, terminal));
  });
}
