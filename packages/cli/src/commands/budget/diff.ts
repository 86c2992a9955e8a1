import { type BudgetDocument, diffBudgets, judgeDiff, readBudget } from "@spillway/core";
import type { Command } from "commander";
import type { Context } from "../../context.ts";
import { EXIT_LIMIT } from "../../exit-code.ts";
import { formatDiff } from "../../format/budget/diff.ts";
import { readText } from "../../io/read-text.ts";
import { toJson } from "../../json.ts";
import {
  addBudgetOptions,
  type BudgetOptions,
  isKept,
  noteProblems,
  openBudget,
  refuseKernelOptions,
  wholeNumber,
} from "./budget-options.ts";

interface DiffCommandOptions extends BudgetOptions {
  readonly limit: number;
  readonly maxGrowth?: number;
  readonly max?: number;
}

/** A budget that was kept with `--json`, or the budget of a kernel; with frames larger than they are, if that is asked. */
function documentOf(context: Context, input: string, options: DiffCommandOptions): BudgetDocument {
  const asItIs = isKept(input) && options.grow === undefined;
  return asItIs ? readBudget(readText(input)) : openBudget(context, input, options).document();
}

export function registerDiff(budget: Command, context: Context): void {
  const command = budget
    .command("diff")
    .summary("what a kernel update costs: entries, frames and cycles that have grown; a gate for CI")
    .description("Compares two budgets: entries and frames that have grown or shrunk, and recursion that is new.")
    .argument("<old>", "a budget kept with --json, or a kernel")
    .argument("<new>", "the same")
    .option("-n, --limit <n>", "lines of each kind", wholeNumber, 12)
    .option("--max-growth <bytes>", "exit with 6 where an entry's bound has grown by more", wholeNumber)
    .option("--max <bytes>", "exit with 6 where an entry's bound is over that now", wholeNumber)
    .addHelpText(
      "after",
      `
Examples:
  spillway budget /boot/vmlinuz-6.1.0-56-amd64 --json >old.json      keep a budget
  spillway budget diff old.json /boot/vmlinuz-6.1.0-57-amd64
  spillway budget diff old.json new.json --max-growth 256            exit code 6: the gate is closed
  spillway budget diff old.json old.json --grow vfs_write=512        what it would cost if that frame grew`,
    );
  addBudgetOptions(command).action((old: string, current: string, options: DiffCommandOptions) => {
    const { terminal } = context;
    const { level, limit, max, maxGrowth } = options;
    refuseKernelOptions([old, current], options);
    const { grow: _, ...asItIs } = options;
    const before = documentOf(context, old, asItIs);
    const after = documentOf(context, current, options);
    noteProblems(context, before.problems, old, options);
    if (current !== old) noteProblems(context, after.problems, current, options);
    const diff = diffBudgets(before, after);
    terminal.write(options.json ? toJson(diff) : formatDiff(diff, { limit, level }, terminal));
    if (max === undefined && maxGrowth === undefined) return;
    const limits = {
      level,
      growthBytes: maxGrowth ?? Number.POSITIVE_INFINITY,
      ...(max === undefined ? {} : { maxBytes: max }),
    };
    judge(context, judgeDiff(diff, limits, after));
  });
}

/** Says what a gate found, and closes it. */
export function judge(
  context: Context,
  { ok, reasons }: { readonly ok: boolean; readonly reasons: readonly string[] },
): void {
  if (ok) return;
  for (const reason of reasons) context.terminal.writeError(`over the limit: ${reason}\n`);
  context.exitWith?.(EXIT_LIMIT);
}
