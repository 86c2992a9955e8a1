import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { type ByteSource, SpillwayError } from "@spillway/core";

/** Four pages: reading 16 KiB costs hardly more than reading one page. */
const BLOCK = 16384;
const CACHED_BLOCKS = 64;

/** A byte source over a file that is open for reading only. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #fd: number;
  /** Aligned blocks around recent small reads: neighbouring pages, descriptors and records come with one system call. */
  readonly #blocks = new Map<number, Uint8Array>();

  /** @throws SpillwayError `SPW_INPUT_NOT_FOUND`, `SPW_INPUT_UNREADABLE`, `SPW_INPUT_NOT_A_FILE` */
  constructor(path: string) {
    this.name = path;
    try {
      // O_NONBLOCK: a named pipe would otherwise wait for a writer before it could be refused.
      this.#fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      throw openError(path, error);
    }
    const stat = fstatSync(this.#fd);
    if (!stat.isFile()) {
      closeSync(this.#fd);
      const what = stat.isDirectory() ? "a directory" : "not a regular file";
      throw new SpillwayError("SPW_INPUT_NOT_A_FILE", `${path}: ${what}, so it cannot be a dump`, {
        facts: { path },
        hint: stat.isDirectory()
          ? "Give the dump file inside it, which is often called vmcore."
          : "Copy it into a file first: a dump is read at random.",
      });
    }
    this.size = stat.size;
  }

  read(offset: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    if (wanted === 0) return new Uint8Array(0);
    const within = offset % BLOCK;
    if (wanted > BLOCK - within) return this.#readDirectly(offset, wanted);
    const index = (offset - within) / BLOCK;
    let block = this.#blocks.get(index);
    if (block === undefined) {
      block = this.#readDirectly(offset - within, Math.min(BLOCK, this.size - offset + within));
      if (this.#blocks.size >= CACHED_BLOCKS) {
        for (const oldest of this.#blocks.keys()) {
          this.#blocks.delete(oldest);
          break;
        }
      }
      this.#blocks.set(index, block);
    }
    return block.slice(within, within + wanted);
  }

  #readDirectly(offset: number, wanted: number): Uint8Array {
    const bytes = new Uint8Array(wanted);
    let done = 0;
    try {
      while (done < wanted) {
        const got = readSync(this.#fd, bytes, done, wanted - done, offset + done);
        if (got === 0) break;
        done += got;
      }
    } catch (error) {
      throw new SpillwayError(
        "SPW_INPUT_READ_FAILED",
        `${this.name}: reading at byte ${offset} failed: ${reason(error)}`,
        {
          facts: { path: this.name, offset, length: wanted },
          cause: error,
        },
      );
    }
    // Shorter only where the file was cut while we read it.
    return done === wanted ? bytes : bytes.subarray(0, done);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function openError(path: string, error: unknown): SpillwayError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new SpillwayError("SPW_INPUT_NOT_FOUND", `${path}: there is no such file`, {
      facts: { path },
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new SpillwayError("SPW_INPUT_UNREADABLE", `${path}: you may not read this file`, {
      facts: { path },
      hint: "Dumps usually belong to root: copy it or change its permissions.",
      cause: error,
    });
  }
  return new SpillwayError("SPW_INPUT_UNREADABLE", `${path}: it cannot be opened: ${reason(error)}`, {
    facts: { path },
    cause: error,
  });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
