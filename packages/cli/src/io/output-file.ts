import { closeSync, openSync, realpathSync, renameSync, rmSync, type Stats, statSync, writeSync } from "node:fs";
import { SpillwayError } from "@spillway/core";

type Sink = (offset: number, bytes: Uint8Array) => void;

function failed(path: string, error: unknown): SpillwayError {
  const reason = error instanceof Error ? error.message : String(error);
  return new SpillwayError("SPW_OUTPUT_FAILED", `${path}: it cannot be written: ${reason}`, {
    class: "environment",
    facts: { path },
    cause: error,
  });
}

/**
 * Writes a file as a whole or not at all: `write` fills a file beside it, which takes its name only when all went well. A link stays
 * one, and the file that it leads to is replaced. A device or a pipe (/dev/null, /dev/stdout) is no file that could be replaced: what
 * is written goes straight into it.
 * @param write is given a function that writes bytes at an offset
 * @throws SpillwayError `SPW_OUTPUT_EXISTS` unless `replace`, `SPW_OUTPUT_FAILED`, and whatever `write` throws
 */
export function writeWhole<T>(path: string, replace: boolean, write: (sink: Sink) => T): T {
  const there = attempt(path, () => statSync(path, { throwIfNoEntry: false }));
  if (there !== undefined && isStream(there)) return writeStream(path, write);
  if (there !== undefined && !there.isFile()) throw failed(path, new Error("it is no file"));
  if (!replace && there !== undefined) {
    throw new SpillwayError("SPW_OUTPUT_EXISTS", `${path}: there is such a file already`, {
      class: "usage",
      facts: { path },
      hint: "name another file, or replace it with --force",
    });
  }
  const target = there === undefined ? path : attempt(path, () => realpathSync(path));
  const partial = `${target}.partial.${process.pid}`;
  const fd = attempt(path, () => openSync(partial, "wx"));
  let open = true;
  try {
    const result = write((offset, bytes) => writeAll(path, fd, offset, bytes));
    open = false;
    attempt(path, () => closeSync(fd));
    attempt(path, () => renameSync(partial, target));
    return result;
  } finally {
    if (open) closeSync(fd);
    rmSync(partial, { force: true });
  }
}

function isStream(stats: Stats): boolean {
  return stats.isCharacterDevice() || stats.isFIFO();
}

function writeStream<T>(path: string, write: (sink: Sink) => T): T {
  const fd = attempt(path, () => openSync(path, "w"));
  let written = 0;
  try {
    return write((offset, bytes) => {
      if (offset !== written) throw failed(path, new Error("it can only be written from its beginning on"));
      writeAll(path, fd, null, bytes);
      written += bytes.length;
    });
  } finally {
    closeSync(fd);
  }
}

/** @param offset null: where the last write ended */
function writeAll(path: string, fd: number, offset: number | null, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    const at = offset === null ? null : offset + done;
    done += attempt(path, () => writeSync(fd, bytes, done, bytes.length - done, at));
  }
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw failed(path, error);
  }
}
