import { execFile } from "node:child_process";

/** What a finished program left behind. */
export interface ProgramResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Bytes of output that are taken; a build that fails says much. */
const MAX_OUTPUT = 64 * 1024 * 1024;

/**
 * Runs a program to its end, with messages in English, and hands back its status, whatever it is. Rejects with Node's error
 * when it cannot be started or was killed.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: "C", ...options.env };
    const settings = { env, maxBuffer: MAX_OUTPUT, ...(options.cwd === undefined ? {} : { cwd: options.cwd }) };
    execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === "number") resolve({ status: error.code, stdout, stderr });
      else reject(error);
    });
  });
}

/** The last lines of a text, for an error's facts. */
export function tail(text: string, lines: number): string[] {
  return text.trimEnd().split(/\r?\n/).slice(-lines);
}
