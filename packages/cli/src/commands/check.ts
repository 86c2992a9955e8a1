import {
  changeModel,
  checkModel,
  DEFAULT_BOUNDS,
  type Model,
  modelJson,
  modelText,
  type Policy,
  PRESETS,
  parseModel,
  SpillwayError,
  toPromela,
} from "@spillway/core";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Context } from "../context.ts";
import { EXIT_LIMIT } from "../exit-code.ts";
import { formatCheck, formatPresets } from "../format/check.ts";
import { readText } from "../io/read-text.ts";
import { toJson } from "../json.ts";
import { Progress } from "../progress.ts";
import { thousands } from "../text/hex.ts";
import { wholeNumber } from "./budget/budget-options.ts";

interface CheckCommandOptions {
  readonly list?: boolean;
  readonly source?: boolean;
  readonly promela?: boolean;
  readonly continue?: boolean;
  readonly stacks?: number;
  readonly policy?: Policy;
  readonly tasks?: ReadonlyMap<string, number>;
  readonly symmetry: boolean;
  readonly maxStates: number;
  readonly maxMemory: number;
  readonly json?: boolean;
}

const MIB = 2 ** 20;
/** Errors that say where in a model something is wrong. */
const ABOUT_A_MODEL: ReadonlySet<string> = new Set(["SPW_CHECK_BAD_MODEL", "SPW_CHECK_TOO_LARGE"]);

export function registerCheck(program: Command, context: Context): void {
  program
    .command("check")
    .summary("may a task wait for an extra stack, or can that deadlock: every state of a small model is looked at")
    .description(
      "searches all states that a model of tasks, locks and extra stacks can be in, and shows the shortest way to what goes wrong. " +
        "See docs/check.md for what it says about the pool, and docs/check-models.md for how models are written.",
    )
    .argument("[model]", "the name of a preset (--list), or a file with a model, as text or JSON")
    .option("--list", "list the presets")
    .option("--source", "print the model instead of checking it (--json: as JSON)")
    .option("--promela", "print the model in Promela, for SPIN")
    .option("--stacks <n>", "check it with so many extra stacks", wholeNumber)
    .addOption(new Option("--policy <policy>", "where no stack is free: fail or wait").choices(["eio", "sleep"]))
    .option("--tasks <name=n,...>", "check it with so many tasks of that name", taskCounts)
    .option("--no-symmetry", "keep states apart that differ only in which of identical tasks is which")
    .option("--continue", "see every state even where something is wrong, for counts of the whole")
    .option("--max-states <n>", "give up at so many distinct states", wholeNumber, DEFAULT_BOUNDS.states)
    .option("--max-memory <mib>", "give up at so much memory for states", wholeNumber, DEFAULT_BOUNDS.bytes / MIB)
    .option("--json", "print one JSON document instead of text")
    .addHelpText(
      "after",
      `
Examples:
  spillway check rfc-sleep                                two writers and writeback wait for a stack: a deadlock
  spillway check rfc-sleep --stacks 3                     the same with a stack for everybody: holds
  spillway check rfc-eio --tasks writer=6 --stacks 4      fail with -EIO instead, with more of both
  spillway check xfs-2012 --json                          what XFS ran into, as one document
  spillway check rfc-sleep --source > my.model            a model to begin with
  spillway check my.model --max-states 1000000
  spillway check my.model --promela > my.pml              the same states for SPIN

Exit status: 0 it holds; 6 a deadlock, something violated, or a bound reached (--json prints the document in any case).`,
    )
    .action((name: string | undefined, options: CheckCommandOptions) => {
      const { terminal } = context;
      if (options.list) {
        const listed = PRESETS.map(({ name, title }) => ({ name, title }));
        terminal.write(options.json ? toJson(listed) : formatPresets(PRESETS, terminal));
        return;
      }
      if (name === undefined) {
        throw new SpillwayError("SPW_USAGE", "which model?", {
          class: "usage",
          hint: "name a preset or a file; spillway check --list lists the presets",
        });
      }
      const source = sourceOf(name);
      naming(source, () => run(source, options, context));
    });
}

interface Source {
  readonly name: string;
  /** What a preset is about; null for a file. */
  readonly title: string | null;
  readonly text: string;
}

/** A preset by its name, or a file: a file of a preset's name has to be written as a path (./resize). */
function sourceOf(name: string): Source {
  const preset = PRESETS.find((one) => one.name === name);
  if (preset !== undefined) return preset;
  try {
    return { name, title: null, text: readText(name) };
  } catch (error) {
    if (!(error instanceof SpillwayError) || error.code !== "SPW_INPUT_NOT_FOUND") throw error;
    throw new SpillwayError("SPW_INPUT_NOT_FOUND", `${name}: there is no such preset or file`, {
      facts: { path: name },
      hint: "spillway check --list lists the presets",
      cause: error,
    });
  }
}

function run({ name, title, text }: Source, options: CheckCommandOptions, { terminal, exitWith }: Context): void {
  const { stacks, policy, tasks } = options;
  const changes = {
    ...(stacks === undefined ? {} : { stacks }),
    ...(policy === undefined ? {} : { policy }),
    ...(tasks === undefined ? {} : { tasks }),
  };
  const isChanged = Object.keys(changes).length > 0;
  const model: Model = changeModel(parseModel(text), changes);
  if (options.source) {
    terminal.write(options.json ? toJson(modelJson(model)) : isChanged ? modelText(model) : text);
    return;
  }
  if (options.promela) {
    terminal.write(toPromela(model));
    return;
  }
  const progress = new Progress(terminal);
  const document = checkModel(model, {
    symmetry: options.symmetry,
    bounds: { states: options.maxStates, bytes: options.maxMemory * MIB },
    keepGoing: options.continue ?? false,
    progress: (done, known) =>
      progress.show(`${thousands(known)} states, ${thousands(known - done)} to go on from`, 0, 0),
  });
  progress.clear();
  terminal.write(options.json ? toJson(document) : formatCheck(document, name, title, terminal));
  if (document.verdict !== "holds") exitWith?.(EXIT_LIMIT);
}

/** Puts the file's name before a complaint about what is in it. */
function naming({ name: path, title }: Source, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (title !== null || !(error instanceof SpillwayError) || !ABOUT_A_MODEL.has(error.code)) throw error;
    const separator = /^\d+:\d+: /.test(error.message) ? ":" : ": ";
    throw new SpillwayError(error.code, `${path}${separator}${error.message}`, {
      class: error.class,
      facts: { ...error.facts, path },
      ...(error.hint === null ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

/** "writer=3,flusher=1" */
function taskCounts(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split(",").map((pair) => {
      const [, name, count] = /^(\w+)=(\d{1,3})$/.exec(pair.trim()) ?? [];
      if (name === undefined) throw new InvalidArgumentError("It is no list of NAME=NUMBER.");
      return [name, Number(count)];
    }),
  );
}
