import { DEFAULT_RESERVE_BYTES, makePlan, parsePoints } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { formatPlan } from "../format/budget/plan.ts";
import { writeOutput } from "../io/write-output.ts";
import { toJson } from "../json.ts";
import { thousands } from "../text/hex.ts";
import {
  addBudgetOptions,
  type BudgetOptions,
  INPUT_HELP,
  noteProblems,
  openBudget,
  wholeNumber,
} from "./budget/budget-options.ts";

interface PlanCommandOptions extends BudgetOptions {
  readonly stack?: number;
  readonly reserve: number;
  readonly threshold?: number;
  readonly allow?: string;
  readonly deny?: string;
  readonly recursion?: boolean;
  readonly output?: string;
  readonly force?: boolean;
}

export function registerPlan(program: Command, context: Context): void {
  const command = program
    .command("plan")
    .summary("where a kernel must spill: the fewest critical points that keep every stack within its bounds")
    .description(
      "chooses the smallest set of critical points that keeps every stretch of a stack, from one point to the next, within the\n" +
        "stack; and the threshold that goes with them. `spillway guard load --plan FILE` loads the module so. See\n" +
        "docs/budget-method.md.",
    )
    .argument("<input>", INPUT_HELP)
    .option("--stack <bytes>", "size of the stacks (default: the kernel's)", wholeNumber)
    .option("--reserve <bytes>", "keep so much free for interrupts", wholeNumber, DEFAULT_RESERVE_BYTES)
    .option("--threshold <bytes>", "switch at this depth at the earliest (default: half of the stack)", wholeNumber)
    .option("--allow <list>", "functions that may be points too: NAME[:int|long|pointer|bio],…")
    .option("--deny <list>", "functions that must not be points: NAME,…")
    .option(
      "--recursion",
      "a point at every known entry point that can come back to itself, so that rounds are bounded",
    )
    .option("-o, --output <file>", "write the JSON document into a file, and print what it says")
    .option("-f, --force", "replace the file if it is there")
    .addHelpText(
      "after",
      `
Examples:
  spillway plan /boot/vmlinuz-6.1.0-57-amd64 --modules /lib/modules/6.1.0-57-amd64
  spillway plan live --recursion -o plan.json && spillway guard load --plan plan.json
  spillway plan vmlinuz --stack 8192 --recursion               what half the stack would take
  spillway plan vmlinuz --allow my_fs_write:long --deny vfs_read`,
    );
  addBudgetOptions(command).action((input: string, options: PlanCommandOptions) => {
    const { terminal } = context;
    const budget = openBudget(context, input, options);
    noteProblems(context, budget.problems, input, options);
    const plan = makePlan(budget, {
      level: options.level,
      reserveBytes: options.reserve,
      ...(options.stack === undefined ? {} : { stackBytes: options.stack }),
      ...(options.threshold === undefined ? {} : { thresholdBytes: options.threshold }),
      ...(options.recursion === undefined ? {} : { recursion: options.recursion }),
      ...(options.allow === undefined ? {} : { allow: parsePoints(options.allow) }),
      ...(options.deny === undefined ? {} : { deny: options.deny.split(",").filter((name) => name !== "") }),
    });
    if (options.output !== undefined) writeOutput(options.output, toJson(plan), options.force, [input]);
    if (options.json) terminal.write(toJson(plan));
    else terminal.write(formatPlan(plan, terminal));
    if (options.output !== undefined && !options.json) {
      const points = plan.points.length;
      terminal.write(`\nwritten: ${options.output} (${thousands(points)} ${points === 1 ? "point" : "points"})\n`);
    }
  });
}
