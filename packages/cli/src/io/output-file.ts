import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { SpillwayError } from "@spillway/core";

function failed(path: string, error: unknown): SpillwayError {
  const reason = error instanceof Error ? error.message : String(error);
  return new SpillwayError("SPW_OUTPUT_FAILED", `${path}: it cannot be written: ${reason}`, {
    class: "environment",
    facts: { path },
    cause: error,
  });
}

/**
 * Writes a file as a whole or not at all: `write` fills a file beside it, which takes its name only when all went well.
 * @param write is given a function that writes bytes at an offset
 * @throws SpillwayError `SPW_OUTPUT_EXISTS` unless `replace`, `SPW_OUTPUT_FAILED`, and whatever `write` throws
 */
export function writeWhole<T>(
  path: string,
  replace: boolean,
  write: (sink: (offset: number, bytes: Uint8Array) => void) => T,
): T {
  if (!replace && existsSync(path)) {
    throw new SpillwayError("SPW_OUTPUT_EXISTS", `${path}: there is such a file already`, {
      class: "usage",
      facts: { path },
      hint: "name another file, or replace it with --force",
    });
  }
  const partial = `${path}.partial.${process.pid}`;
  let fd: number;
  try {
    fd = openSync(partial, "wx");
  } catch (error) {
    throw failed(path, error);
  }
  let open = true;
  try {
    const result = write((offset, bytes) => {
      for (let done = 0; done < bytes.length; ) {
        try {
          done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
        } catch (error) {
          throw failed(path, error);
        }
      }
    });
    closeSync(fd);
    open = false;
    renameSync(partial, path);
    return result;
  } finally {
    if (open) closeSync(fd);
    rmSync(partial, { force: true });
  }
}
