/** What the commands of `budget` and `plan` have in common: how a program is named, and how a budget is made of it. */
import {
  analyseProgram,
  BUDGET_LEVELS,
  type Budget,
  type BudgetLevel,
  type BudgetOptions as CoreOptions,
  createBudget,
  type DeclaredTypes,
  type GrownFrame,
  knownGraph,
  MOST_ROUNDS,
  openKnownGraph,
  openSavedBudget,
  type Program,
  parseGrownFrames,
  readWholeBudget,
  SpillwayError,
  TOLD_ROUNDS,
  type Unpackers,
  withGrownFrames,
} from "@spillway/core";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Context } from "../../context.ts";
import { LIVE } from "../../io/open-program.ts";
import { readText } from "../../io/read-text.ts";
import { Progress } from "../../progress.ts";
import { printable } from "../../text/printable.ts";
import { shellWord } from "../../text/shell-word.ts";

export interface BudgetOptions {
  readonly modules?: string;
  readonly debuginfo?: readonly string[];
  readonly entry?: readonly string[];
  readonly rounds: number;
  readonly level: BudgetLevel;
  readonly grow?: readonly GrownFrame[];
  readonly json?: boolean;
  /** False: whatever was kept, the code is read again. */
  readonly cache?: boolean;
}

const DEFAULT_LEVEL: BudgetLevel = "slot-matched";

export const INPUT_HELP = "a vmlinux, a vmlinuz, a dump, `live` (this machine's kernel), or a budget kept with --json";

/** A whole number of at least 0, for an option's value. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text.replaceAll(/[_,]/g, ""))) throw new InvalidArgumentError("It is no whole number.");
  return Number(text.replaceAll(/[_,]/g, ""));
}

function roundCount(text: string): number {
  const rounds = wholeNumber(text);
  if (rounds > MOST_ROUNDS) throw new InvalidArgumentError(`It is more than ${MOST_ROUNDS}.`);
  return rounds;
}

/** Adds the options that say which program is studied and how. */
export function addBudgetOptions(command: Command): Command {
  return command
    .option("--modules <dir>", "take the modules of a folder in too (/lib/modules/RELEASE)")
    .option(
      "--debuginfo <path...>",
      "debug information of the kernel and its modules (vmlinux, .ko, .ko.debug), or folders that have it: tells more of who indirect calls reach (put this option last)",
    )
    .option(
      "--entry <name...>",
      "paths begin at these functions, instead of system calls, handlers and the like (put this option last)",
    )
    .addOption(
      new Option("--level <level>", "which indirect calls are followed").choices(BUDGET_LEVELS).default(DEFAULT_LEVEL),
    )
    .option("--rounds <n>", `let a path take so many upcalls, at most ${MOST_ROUNDS}`, roundCount, TOLD_ROUNDS)
    .option("--grow <list>", "what if frames were larger: NAME=BYTES,…", parseGrownFrames)
    .option("--no-cache", "read the code again, though its calls are kept from the last time")
    .option("--json", "print one JSON document instead of text");
}

/** A command line as a person would type it again: `words`, then the shared options that are not as by default. */
export function asTyped(words: readonly string[], options: BudgetOptions): string {
  const { modules, level, rounds, entry, debuginfo, grow } = options;
  return [
    ...words,
    ...(modules === undefined ? [] : ["--modules", modules]),
    ...(level === DEFAULT_LEVEL ? [] : ["--level", level]),
    ...(rounds === TOLD_ROUNDS ? [] : ["--rounds", `${rounds}`]),
    ...(grow === undefined ? [] : ["--grow", grow.map(({ name, bytes }) => `${name}=${bytes}`).join(",")]),
    ...(entry === undefined ? [] : ["--entry", ...entry]),
    ...(debuginfo === undefined ? [] : ["--debuginfo", ...debuginfo]),
  ]
    .map(shellWord)
    .join(" ");
}

/** Opens a program for the commands that study code. */
export function openProgram(
  context: Context,
  input: string,
  modules: string | undefined,
  progress: Progress,
  unpackers?: Unpackers,
): Program {
  if (context.openProgram === undefined) {
    throw new SpillwayError("SPW_USAGE", "this command is not for the prompt", { class: "usage" });
  }
  return context.openProgram(input, {
    modules: modules === undefined ? [] : [modules],
    progress: (step, done, total) => progress.show(step, done, total),
    unpackers,
  });
}

function openDeclaredTypes(context: Context, program: Program, files: readonly string[]): DeclaredTypes | null {
  return files.length === 0 ? null : (context.openDeclaredTypes?.(program, files) ?? null);
}

/** Is the input a budget that was kept? */
export function isKept(input: string): boolean {
  return input.endsWith(".json");
}

/**
 * A budget that was kept has its modules and types in it.
 * @param inputs of which none is a kernel
 */
export function refuseKernelOptions(inputs: readonly string[], options: Omit<BudgetOptions, "level">): void {
  const option = options.modules !== undefined ? "--modules" : options.debuginfo !== undefined ? "--debuginfo" : null;
  if (option === null || !inputs.every(isKept)) return;
  throw new SpillwayError("SPW_USAGE", `${option} goes with a kernel, and ${inputs.join(", ")} was kept from one`, {
    class: "usage",
    facts: { option, inputs },
  });
}

/**
 * What is amiss with what a budget was worked out of, beside an answer that leaves it out: the first of it, and where the rest is.
 */
export function noteProblems(
  { terminal }: Context,
  problems: readonly string[],
  input: string,
  options: BudgetOptions,
): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  terminal.writeError(`note: ${printable(first)}\n`);
  if (others.length === 0) return;
  // A budget that was kept has its modules and types in it.
  const { modules: _, debuginfo: __, ...asKept } = options;
  const whole = asTyped(["spillway", "budget", input], isKept(input) ? asKept : options);
  terminal.writeError(`note: and ${others.length} more, which ${whole} tells\n`);
}

type AskedOptions = Pick<CoreOptions, "rounds" | "entries">;

/**
 * Opens a program, builds its call graph and what can be asked of it, with progress on a terminal; or takes the graph that was
 * kept from the last time; or opens a budget that was kept. With `grow`, what it would be with larger frames.
 */
export function openBudget(context: Context, input: string, options: Omit<BudgetOptions, "level">): Budget {
  const asked = {
    rounds: options.rounds,
    ...(options.entry === undefined ? {} : { entries: options.entry }),
  };
  const asItIs = openAsItIs(context, input, options, asked);
  const budget = options.grow === undefined ? asItIs : withGrownFrames(asItIs, options.grow, asked);
  // A name that is wrong is told now, whatever is asked next, and not before the graph is kept.
  budget.entries;
  return budget;
}

function openAsItIs(
  context: Context,
  input: string,
  options: Omit<BudgetOptions, "level">,
  asked: AskedOptions,
): Budget {
  refuseKernelOptions([input], options);
  if (isKept(input)) return openSavedBudget(readWholeBudget(readText(input)), asked);
  const progress = new Progress(context.terminal);
  try {
    const modules = options.modules === undefined ? [] : [options.modules];
    const debuginfo = options.debuginfo ?? [];
    // The running kernel changes between two looks.
    const graphs = input === LIVE ? undefined : context.graphs?.({ input, modules, debuginfo });
    const known = options.cache === false ? null : (graphs?.find() ?? null);
    if (known !== null) {
      const opened = (): Program => {
        try {
          return openProgram(context, input, options.modules, progress);
        } finally {
          progress.clear();
        }
      };
      return openKnownGraph(known, opened, asked);
    }
    // Modules are too many to have them in memory twice.
    const calls = input === LIVE || modules.length > 0 ? undefined : context.findCalls?.(input, modules);
    const program = openProgram(context, input, options.modules, progress, calls?.unpackers);
    const declared = openDeclaredTypes(context, program, debuginfo);
    const reading = (done: number, total: number): void => progress.show("reading the code", done, total);
    const graph = analyseProgram(program, reading, { calls: calls?.wait, decoded: calls?.decoded, declared });
    const budget = createBudget(program, graph, asked);
    graphs?.keep(knownGraph(budget));
    return budget;
  } finally {
    progress.clear();
  }
}
