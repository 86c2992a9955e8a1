import { execFile } from "node:child_process";
import { SpillwayError } from "@spillway/core";

/** What a finished program left behind. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end and hands back its status, whatever it is.
 * @throws SpillwayError SPW_LAB_PROGRAM_MISSING when it cannot be started
 */
export function tryCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: "C", ...options.env };
    const settings = { env, maxBuffer: 64 * 1024 * 1024, ...(options.cwd === undefined ? {} : { cwd: options.cwd }) };
    execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) return resolve({ status: 0, stdout, stderr });
      if (typeof error.code === "number") return resolve({ status: error.code, stdout, stderr });
      reject(
        new SpillwayError("SPW_LAB_PROGRAM_MISSING", `cannot run ${program}`, {
          class: "environment",
          facts: { program, reason: String(error.code ?? error.message) },
          cause: error,
        }),
      );
    });
  });
}

/** The last lines of a text, for an error's facts. */
export function tail(text: string, lines: number): string[] {
  return text.trimEnd().split(/\r?\n/).slice(-lines);
}

/**
 * Runs a program that has to succeed.
 * @returns its standard output
 * @throws SpillwayError SPW_LAB_COMMAND_FAILED with the last lines it printed
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await tryCommand(program, args, options);
  if (status === 0) return stdout;
  const output = tail(stderr.trim() === "" ? stdout : stderr, 20);
  throw new SpillwayError("SPW_LAB_COMMAND_FAILED", `${program} ${args[0] ?? ""} failed: ${output.at(-1) ?? ""}`, {
    class: "environment",
    facts: { program, arguments: args, status, output },
  });
}
