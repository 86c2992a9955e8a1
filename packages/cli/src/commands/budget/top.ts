import type { Command } from "commander";
import { Option } from "commander";
import type { Context } from "../../context.ts";
import { formatTop } from "../../format/budget/top.ts";
import { toJson } from "../../json.ts";
import {
  addBudgetOptions,
  type BudgetOptions,
  INPUT_HELP,
  noteProblems,
  openBudget,
  wholeNumber,
} from "./budget-options.ts";

interface TopOptions extends BudgetOptions {
  readonly limit: number;
  readonly by: "depth" | "frame";
  readonly module?: string;
}

export function registerTop(budget: Command, context: Context): void {
  const command = budget
    .command("top")
    .summary("the functions that need most stack: by their own frames, or with all they call")
    .description("Lists the functions that need most stack, by their own frames or with all that they call.")
    .argument("<input>", INPUT_HELP)
    .addOption(
      new Option("--by <what>", "their own frames, or all below them").choices(["frame", "depth"]).default("frame"),
    )
    .option("--module <name>", "only those of one module; vmlinux: of the kernel itself")
    .option("-n, --limit <n>", "functions to list", wholeNumber, 20)
    .addHelpText(
      "after",
      `
Examples:
  spillway budget top vmlinuz                  what checkstack.pl lists, for the stock image and its modules
  spillway budget top vmlinuz --by depth       those with the deepest paths below them
  spillway budget top vmlinuz --modules /lib/modules/6.1.0-57-amd64 --module xfs     one module's
  spillway budget top vmcore -n 50 --json`,
    );
  addBudgetOptions(command).action((input: string, options: TopOptions) => {
    const { limit, by, level, module } = options;
    const only = module === undefined ? {} : { module: module === "vmlinux" ? null : module };
    const opened = openBudget(context, input, options);
    const rows = opened.top({ limit, by, level, ...only });
    noteProblems(context, opened.problems, input, options);
    context.terminal.write(options.json ? toJson(rows) : formatTop(rows, { by, level }, context.terminal));
  });
}
