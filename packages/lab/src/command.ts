import { SpillwayError } from "@spillway/core";
import { type ProgramOptions, type ProgramResult, runProgram, tail } from "@spillway/guard";

/**
 * Runs a program to its end and hands back its status, whatever it is.
 * @throws SpillwayError SPW_LAB_PROGRAM_MISSING when it cannot be started
 */
export function tryCommand(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return runProgram(program, args, options).catch((error: NodeJS.ErrnoException) => {
    throw new SpillwayError("SPW_LAB_PROGRAM_MISSING", `cannot run ${program}`, {
      class: "environment",
      facts: { program, reason: String(error.code ?? error.message) },
      cause: error,
    });
  });
}

/**
 * Runs a program that has to succeed.
 * @returns its standard output
 * @throws SpillwayError SPW_LAB_COMMAND_FAILED with the last lines it printed
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await tryCommand(program, args, options);
  if (status === 0) return stdout;
  const output = tail(stderr.trim() === "" ? stdout : stderr, 20);
  throw new SpillwayError("SPW_LAB_COMMAND_FAILED", `${program} ${args[0] ?? ""} failed: ${output.at(-1) ?? ""}`, {
    class: "environment",
    facts: { program, arguments: args, status, output },
  });
}
