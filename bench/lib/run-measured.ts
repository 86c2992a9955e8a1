import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A program to start, directly and without a shell. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** What it reads from standard input; nothing when left out. */
  readonly input?: string;
}

export interface Run {
  /** From starting the process to having all its output, in seconds. */
  readonly seconds: number;
  /** Peak resident set size in KiB, or null where GNU time is not installed. */
  readonly peakKiB: number | null;
  /** The exit status, or null if a signal or the time limit ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const GNU_TIME = "/usr/bin/time";
const OUTPUT_LIMIT = 64 << 20;

/** Whether peak memory can be measured here: GNU time, Debian package `time`. */
export function canMeasureMemory(): boolean {
  return existsSync(GNU_TIME);
}

/**
 * Runs a command to its end, or to the time limit (status 124), and measures it.
 *
 * GNU time forks the command from a process of about 1 MB, so that the kernel's ru_maxrss is the command's own; started straight
 * from Node it would begin with the resident set of the process that forked it. Its own start costs about a millisecond, which
 * is counted, the same for every command. coreutils' timeout stands between the two because it ends the command's children too.
 */
export function runMeasured(command: Command, timeLimitSeconds = 300): Run {
  const folder = mkdtempSync(join(tmpdir(), "spillway-bench-"));
  const peakFile = join(folder, "peak");
  const measured = canMeasureMemory();
  const limited = ["timeout", "--kill-after=5", String(timeLimitSeconds), command.file, ...command.args];
  const [file, ...args] = measured ? [GNU_TIME, "-f", "%M", "-o", peakFile, ...limited] : limited;
  try {
    const start = process.hrtime.bigint();
    const child = spawnSync(file!, args, {
      input: command.input ?? "",
      encoding: "utf8",
      maxBuffer: OUTPUT_LIMIT,
      env: { ...process.env, NO_COLOR: "1", TERM: "dumb" },
    });
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const stderr = child.error === undefined ? child.stderr : `${child.stderr ?? ""}${child.error.message}`;
    const peakKiB = measured && existsSync(peakFile) ? parsePeak(readFileSync(peakFile, "utf8")) : null;
    return { seconds, peakKiB, status: child.status, stdout: child.stdout ?? "", stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The figure in what GNU time wrote; after a failed command there is a line of words before it. */
export function parsePeak(text: string): number | null {
  const last = text.trim().split("\n").at(-1) ?? "";
  return /^\d+$/.test(last) ? Number(last) : null;
}
