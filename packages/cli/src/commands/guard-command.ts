import { SpillwayError } from "@spillway/core";
import type { Command } from "commander";

/** Loaded when it is needed: no other command wants it. */
export const loadGuard = (): Promise<typeof import("@spillway/guard")> => import("@spillway/guard");

export interface GuardCommandText {
  /** The name and its arguments. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** More for the command's own help. */
  readonly description?: string;
  /** Command lines without "spillway guard", each with what it shows. */
  readonly examples: readonly (readonly [string, string])[];
  /** Has no `--json`: what it prints is for programs already. */
  readonly noJson?: boolean;
}

/** Starts a command of the group: its texts, `--json` (unless its output is for programs already), and examples in the help. */
export function guardCommand(guard: Command, text: GuardCommandText): Command {
  const width = Math.max(...text.examples.map(([command]) => command.length));
  const examples = text.examples.map(([command, shows]) => `  spillway guard ${command.padEnd(width)}  ${shows}`);
  const command = guard
    .command(text.name)
    .summary(text.summary)
    .description(text.description ?? `${text.summary}.`)
    .addHelpText("after", `\nExamples:\n${examples.map((line) => line.trimEnd()).join("\n")}`);
  return text.noJson ? command : command.option("--json", "print one JSON document instead of text");
}

/**
 * A whole number that a person gave.
 * @param what names it in the error: "a number of stacks"
 * @throws SpillwayError SPW_USAGE
 */
export function parseWhole(text: string, what: string, least = 0): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least) return value;
  throw new SpillwayError("SPW_USAGE", `"${text}" is not ${what}`, { class: "usage" });
}

/** Seconds, whole or with a fraction, as milliseconds. @throws SpillwayError SPW_USAGE */
export function parseSeconds(text: string): number {
  const seconds = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= 0) return Math.round(seconds * 1000);
  throw new SpillwayError("SPW_USAGE", `"${text}" is no number of seconds`, { class: "usage" });
}
