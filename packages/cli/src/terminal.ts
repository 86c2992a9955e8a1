import { SpillwayError } from "@spillway/core";
import pc from "picocolors";

export type Colors = ReturnType<typeof pc.createColors>;

/** Where commands print: the real terminal, or a recorder in tests. */
export interface Terminal {
  /** Columns to lay out for. */
  readonly width: number;
  /** Standard output is a terminal (a person is looking). */
  readonly interactive: boolean;
  /** Box-drawing characters may be used. */
  readonly unicode: boolean;
  readonly colors: Colors;
  readonly errorColors: Colors;
  /**
   * Writes to standard output.
   * @throws OutputClosed once the reader has gone away; SpillwayError `SPW_OUTPUT_FAILED` where it cannot be written: disk full
   */
  write(text: string): void;
  /** Writes to standard error. */
  writeError(text: string): void;
}

/** The reader of our output has gone (`| head`): not an error, just a reason to stop. */
export class OutputClosed extends Error {}

/** Columns where nobody says how wide the terminal is. */
export const DEFAULT_WIDTH = 80;
/** Text lines longer than this are hard to read, however wide the terminal. */
export const MAX_WIDTH = 120;

type Environment = Readonly<Record<string, string | undefined>>;

/** Colour when `stream` is a terminal, unless NO_COLOR (https://no-color.org) or TERM=dumb; FORCE_COLOR forces it. */
export function wantsColor(isTty: boolean, environment: Environment): boolean {
  if (environment.NO_COLOR) return false;
  const force = environment.FORCE_COLOR;
  if (force !== undefined && force !== "0") return true;
  return isTty && environment.TERM !== "dumb";
}

/** Box drawing unless the locale says outright that it is not UTF-8 (no locale at all is common in containers). */
export function wantsUnicode(environment: Environment): boolean {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || "";
  return locale === "" || /utf-?8/i.test(locale) || /^(C|POSIX)$/.test(locale);
}

/** Width in columns: COLUMNS, else the terminal's, else 80; at most 120, at least 40. */
export function chooseWidth(columns: number | undefined, environment: Environment): number {
  const given = Number(environment.COLUMNS);
  const width = Number.isInteger(given) && given > 0 ? given : (columns ?? DEFAULT_WIDTH);
  return Math.max(40, Math.min(MAX_WIDTH, width));
}

function outputFailed(error: Error): SpillwayError {
  return new SpillwayError("SPW_OUTPUT_FAILED", `standard output cannot be written: ${error.message}`, {
    class: "environment",
    facts: { path: null },
    cause: error,
  });
}

/** The process's own standard streams. */
export function processTerminal(environment: Environment = process.env): Terminal {
  const { stdout, stderr } = process;
  // A write that fails also raises an event; without a listener it would end the process with a stack trace.
  stdout.on("error", () => {});
  stderr.on("error", () => {});
  const failure = (): Error | null => {
    const error = stdout.errored as NodeJS.ErrnoException | null;
    if (error === null) return stdout.destroyed ? new OutputClosed() : null;
    return error.code === "EPIPE" ? new OutputClosed() : outputFailed(error);
  };
  return {
    width: chooseWidth(stdout.columns, environment),
    interactive: stdout.isTTY === true,
    unicode: wantsUnicode(environment),
    colors: pc.createColors(wantsColor(stdout.isTTY === true, environment)),
    errorColors: pc.createColors(wantsColor(stderr.isTTY === true, environment)),
    write(text) {
      const before = failure();
      if (before !== null) throw before;
      stdout.write(text);
      // A file's disk is full at once; that a pipe's reader has gone away is told by the next write.
      const error = failure();
      if (error !== null && !(error instanceof OutputClosed)) throw error;
    },
    writeError(text) {
      if (!stderr.errored && !stderr.destroyed) stderr.write(text);
    },
  };
}
