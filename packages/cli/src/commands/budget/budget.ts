import {
  atLevel,
  type Budget,
  type BudgetSummary,
  budgetJson,
  depthTree,
  judgeBudget,
  toSpeedscope,
} from "@spillway/core";
import type { Command } from "commander";
import { renderBudgetPage } from "../../budget/page/page.ts";
import type { Context } from "../../context.ts";
import { deepestEntries, formatBudget } from "../../format/budget/summary.ts";
import { writeOutput } from "../../io/write-output.ts";
import { toJson } from "../../json.ts";
import { VERSION } from "../../version.ts";
import {
  addBudgetOptions,
  asTyped,
  type BudgetOptions,
  INPUT_HELP,
  openBudget,
  wholeNumber,
} from "./budget-options.ts";
import { registerCallers } from "./callers.ts";
import { judge, registerDiff } from "./diff.ts";
import { registerPath } from "./path.ts";
import { registerTop } from "./top.ts";

interface WholeBudgetOptions extends BudgetOptions {
  readonly max?: number;
  readonly limit: number;
  readonly html?: string;
  readonly speedscope?: string;
  readonly force?: boolean;
}

const EXAMPLES = `
Examples:
  spillway budget /boot/vmlinuz-6.1.0-57-amd64 --modules /lib/modules/6.1.0-57-amd64
                                                 the deepest entries of a kernel with all its modules
  spillway budget vmcore --entry vfs_write       from one function, in the kernel that crashed
  spillway budget live --html budget.html        of the kernel that runs here, drawn (needs root)
  spillway budget vmlinuz --max 12000            exit code 6 where an entry may need more: a gate for CI
  spillway budget vmlinuz --debuginfo vmlinux    debug information tells more of who indirect calls reach
  spillway budget vmlinuz --modules /lib/modules/6.1.0-57-amd64 --debuginfo /usr/lib/debug
                                                 that of the modules, too
  spillway budget top vmlinuz                    the largest frames
  spillway budget path vmlinuz write --plan      the deepest write(2), frame by frame, and what would bound it
  spillway budget callers vmlinuz schedule --deep
                                                 how deep in the stack a function may be called
  spillway budget diff old.json new.json         what an update costs; of budgets kept with --json`;

/** Entries that are drawn in the page and written for speedscope. */
const DRAWN = 12;

/**
 * `spillway budget`: how deep stacks can get. What it does without a subcommand is one too, so that its options are not taken for
 * those of the others.
 */
export function registerBudget(program: Command, context: Context): void {
  const budget = program
    .command("budget")
    .usage("<input>")
    .helpCommand(false)
    .summary("how deep can this kernel go: the deepest stack from every entry");
  const command = budget.command("entries", { isDefault: true, hidden: true });
  command
    .configureHelp({
      ...command.configureHelp(),
      commandUsage: () => "spillway budget [command] [options] <input>",
      visibleCommands: () => budget.commands.filter((other) => other !== command),
    })
    .description(
      "computes how many bytes of stack a kernel's code can need, from every system call, interrupt, work item and the like:\n" +
        "by direct calls alone, with indirect calls by the slot they go through, and by prototype. See docs/budget-method.md.",
    )
    .argument("<input>", INPUT_HELP)
    .option("-n, --limit <n>", "entries to list", wholeNumber, 20)
    .option("--max <bytes>", "exit with 6 where an entry on a task's stack may need more", wholeNumber)
    .option("--html <file>", "draw the deepest entries as an icicle graph, for a browser")
    .option("--speedscope <file>", "write the deepest paths for speedscope")
    .option("-f, --force", "replace the files if they are there")
    .addHelpText("after", EXAMPLES);
  addBudgetOptions(command).action((input: string, options: WholeBudgetOptions) => {
    const opened = openBudget(context, input, options);
    const document = opened.summary;
    const { terminal } = context;
    const written = writePictures(opened, document, input, options);
    if (options.json) for (const piece of budgetJson(opened)) terminal.write(piece);
    else {
      terminal.write(
        formatBudget(document, { limit: options.limit, level: options.level, maxBytes: options.max ?? null }, terminal),
      );
      if (written.length > 0) terminal.write(`\nwritten: ${written.join(", ")}\n`);
    }
    if (options.max !== undefined)
      judge(context, judgeBudget(document, { maxBytes: options.max, level: options.level }));
  });
  registerTop(budget, context);
  registerPath(budget, context);
  registerCallers(budget, context);
  registerDiff(budget, context);
  // `budget --help` is for the command without a name. Those above have taken the option over from here.
  budget.helpOption(false);
}

function writePictures(budget: Budget, document: BudgetSummary, input: string, options: WholeBudgetOptions): string[] {
  const { html, speedscope, level, max, force } = options;
  const entries = deepestEntries(document, level).slice(0, DRAWN);
  const written: string[] = [];
  if (html !== undefined) {
    const limit = max === undefined ? [] : ["--max", `${max}`];
    const command = asTyped(["spillway", "budget", input, "--html", html, ...limit], options);
    const drawn = entries.map((entry) => ({
      entry,
      tree: depthTree(budget.solved, level, budget.names.find(entry.function), entry.baseBytes),
    }));
    writeOutput(html, renderBudgetPage({ document, level, drawn, maxBytes: max ?? null, plan: null, command }), force, [
      input,
    ]);
    written.push(html);
  }
  if (speedscope !== undefined) {
    const paths = entries.map((entry) => {
      const path = budget.path(entry.function, level);
      return { name: `${entry.name}: ${atLevel(entry.bounds, level)} bytes`, ...path };
    });
    const name = `Stack budget of Linux ${document.kernel.release ?? input}`;
    writeOutput(speedscope, toJson(toSpeedscope(name, `spillway ${VERSION}`, paths)), force, [input]);
    written.push(speedscope);
  }
  return written;
}
