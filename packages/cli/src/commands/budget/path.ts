import { toSpeedscope } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { formatPath } from "../../format/budget/path.ts";
import { writeOutput } from "../../io/write-output.ts";
import { toJson } from "../../json.ts";
import { VERSION } from "../../version.ts";
import { addBudgetOptions, type BudgetOptions, INPUT_HELP, openBudget } from "./budget-options.ts";

interface PathOptions extends BudgetOptions {
  readonly speedscope?: string;
  readonly force?: boolean;
}

export function registerPath(budget: Command, context: Context): void {
  const command = budget
    .command("path")
    .summary("the deepest path from an entry, frame by frame")
    .description(
      "Shows the deepest path from an entry or any other function, frame by frame, and how sure each call is.",
    )
    .argument("<input>", INPUT_HELP)
    .argument("<entry>", "an entry's name, or any function's")
    .option("--speedscope <file>", "write it for speedscope instead")
    .option("-f, --force", "replace the file if it is there")
    .addHelpText(
      "after",
      `
Examples:
  spillway budget path vmlinuz __x64_sys_write
  spillway budget path vmlinuz ext4_file_write_iter --modules /lib/modules/6.1.0-57-amd64 --level prototype-matched`,
    );
  addBudgetOptions(command).action((input: string, name: string, options: PathOptions) => {
    const { level } = options;
    const opened = openBudget(context, input, options);
    const path = opened.path(name, level);
    if (options.speedscope !== undefined) {
      const file = toSpeedscope(`Deepest path from ${name}`, `spillway ${VERSION}`, [{ name, ...path }]);
      writeOutput(options.speedscope, toJson(file), options.force, [input]);
      context.terminal.write(`written: ${options.speedscope}\n`);
      return;
    }
    if (options.json) context.terminal.write(toJson(path));
    else {
      const drawn = { ...path, title: `The deepest path from ${name}`, stackBytes: opened.program.threadSize };
      context.terminal.write(formatPath(drawn, context.terminal));
    }
  });
}
