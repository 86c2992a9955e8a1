import {
  type Budget,
  type DeepestPath,
  depthTree,
  makePlan,
  type PlanDocument,
  SpillwayError,
  toSpeedscope,
} from "@spillway/core";
import type { Command } from "commander";
import { renderBudgetPage } from "../../budget/page/page.ts";
import type { Context } from "../../context.ts";
import { formatPath } from "../../format/budget/path.ts";
import { formatBound } from "../../format/budget/plan.ts";
import { named } from "../../format/budget/words.ts";
import { writeOutput } from "../../io/write-output.ts";
import { toJson } from "../../json.ts";
import { shellWord } from "../../text/shell-word.ts";
import { VERSION } from "../../version.ts";
import {
  addBudgetOptions,
  asTyped,
  type BudgetOptions,
  INPUT_HELP,
  noteProblems,
  openBudget,
} from "./budget-options.ts";

interface PathOptions extends BudgetOptions {
  readonly plan?: boolean;
  readonly html?: string;
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
    .option("--html <file>", "draw it and the deepest paths beside it as an icicle graph, for a browser")
    .option("--speedscope <file>", "write it for speedscope instead")
    .option("-f, --force", "replace the file if it is there")
    .addHelpText(
      "after",
      `
Examples:
  spillway budget path vmlinuz write                             the deepest write(2)
  spillway budget path vmlinuz write --plan --html write.html    and what would bound it, drawn
  spillway budget path vmlinuz ext4_file_write_iter --modules /lib/modules/6.1.0-57-amd64 --level prototype-matched`,
    );
  addBudgetOptions(command).action((input: string, name: string, options: PathOptions) => {
    const { level } = options;
    const opened = openBudget(context, input, options);
    const path = opened.path(name, level);
    noteProblems(context, opened.problems, input, options);
    if (options.speedscope !== undefined) {
      const file = toSpeedscope(`Deepest path from ${name}`, `spillway ${VERSION}`, [{ name, ...path }]);
      writeOutput(options.speedscope, toJson(file), options.force, [input]);
      context.terminal.write(`written: ${options.speedscope}\n`);
      return;
    }
    const plan = options.plan === true ? makePlan(opened, { level, recursion: true, entry: name }) : null;
    const { terminal } = context;
    if (options.html !== undefined) writePage(opened, path, plan, input, name, options.html, options);
    if (options.json) {
      terminal.write(toJson(plan === null ? path : { ...path, plan }));
      return;
    }
    const points = plan === null ? null : new Set(plan.points.map((point) => named(point.name, point.module)));
    const drawn = { ...path, title: `The deepest path from ${name}`, stackBytes: opened.program.threadSize, points };
    terminal.write(formatPath(drawn, terminal));
    if (plan !== null) terminal.write(`\n${formatBound(plan, path, terminal)}`);
    if (options.html !== undefined) terminal.write(`\nwritten: ${options.html}\n`);
  });
}

function writePage(
  budget: Budget,
  path: DeepestPath,
  plan: PlanDocument | null,
  input: string,
  name: string,
  html: string,
  options: PathOptions,
): void {
  const f = budget.names.find(name);
  const entry = budget.summary.entries.find((one) => one.function === budget.names.ids[f]);
  if (entry === undefined) {
    throw new SpillwayError("SPW_USAGE", `${name} is no entry, and only entries are drawn`, {
      class: "usage",
      facts: { name },
      hint: `spillway budget ${shellWord(input)} --entry ${shellWord(name)} --html ${shellWord(html)} makes one of it`,
    });
  }
  const { level, force } = options;
  const drawn = [{ entry, tree: depthTree(budget.solved, level, f, entry.baseBytes) }];
  const words = ["spillway", "budget", "path", input, name, ...(plan === null ? [] : ["--plan"]), "--html", html];
  const command = asTyped(words, options);
  const page = renderBudgetPage({
    document: budget.summary,
    level,
    drawn,
    maxBytes: null,
    plan: plan === null ? null : { document: plan, path },
    command,
  });
  writeOutput(html, page, force, [input]);
}
