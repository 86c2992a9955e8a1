import { SpillwayError } from "@spillway/core";
import { EXIT_CODES } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";
import { printable } from "./text/printable.ts";

/** Turns whatever was thrown into a SpillwayError: what is not one already is a defect of ours. */
export function asSpillwayError(thrown: unknown): SpillwayError {
  if (thrown instanceof SpillwayError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new SpillwayError("SPW_INTERNAL", message.replaceAll(/\s+/g, " ").trim(), {
    class: "internal",
    cause: thrown,
    hint: "this is a defect of spillway: please report it with the command and the output of --debug",
  });
}

/**
 * Prints an error as one line and, where there is one, its hint; with `debug` also the facts and the stack.
 * @returns the exit code
 */
export function printError(thrown: unknown, terminal: Terminal, debug: boolean): number {
  const error = asSpillwayError(thrown);
  const { red, dim } = terminal.errorColors;
  terminal.writeError(`${red("spillway:")} ${error.code}: ${printable(error.message)}\n`);
  if (error.hint !== null) terminal.writeError(`${dim("hint:")} ${printable(error.hint)}\n`);
  if (debug) {
    for (const [name, fact] of Object.entries(error.facts)) {
      const value = typeof fact === "bigint" ? `0x${fact.toString(16)}` : String(fact);
      terminal.writeError(dim(`  ${name} = ${printable(value)}\n`));
    }
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      terminal.writeError(dim(`${at === error ? "" : "caused by "}${at.stack ?? at.message}\n`));
    }
  }
  return EXIT_CODES[error.class];
}
