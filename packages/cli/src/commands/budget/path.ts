import { makePlan, toSpeedscope } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { formatPath } from "../../format/budget/path.ts";
import { formatBound } from "../../format/budget/plan.ts";
import { writeOutput } from "../../io/write-output.ts";
import { toJson } from "../../json.ts";
import { VERSION } from "../../version.ts";
import { addBudgetOptions, type BudgetOptions, INPUT_HELP, openBudget } from "./budget-options.ts";

interface PathOptions extends BudgetOptions {
  readonly plan?: boolean;
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
    .option("--plan", "and which critical points would bound it, recursion included: `spillway plan` for this entry")
    .option("--speedscope <file>", "write it for speedscope instead")
    .option("-f, --force", "replace the file if it is there")
    .addHelpText(
      "after",
      `
Examples:
  spillway budget path vmlinuz write                             the deepest write(2)
  spillway budget path vmlinuz write --plan                      and what would bound it
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
    const plan = options.plan === true ? makePlan(opened, { level, recursion: true, entry: name }) : null;
    const { terminal } = context;
    if (options.json) {
      terminal.write(toJson(plan === null ? path : { ...path, plan }));
      return;
    }
    const drawn = { ...path, title: `The deepest path from ${name}`, stackBytes: opened.program.threadSize };
    terminal.write(formatPath(drawn, terminal));
    if (plan !== null) terminal.write(`\n${formatBound(plan, terminal)}`);
  });
}
