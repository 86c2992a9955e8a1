/**
 * Call graphs kept from one run to the next: reading a kernel's code takes seconds, and whoever asks one question about it asks
 * another. Nobody needs to know: what is kept belongs to exactly the files it was made of and to the program that made it, and
 * where anything is amiss the code is read again.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { KnownGraph } from "@spillway/core";
import type { GraphFiles, GraphKeeper } from "../context.ts";
import { filesIdentity } from "./files-identity.ts";
import { writeWhole } from "./output-file.ts";

const ENDING = ".graph";
const DIGEST_BYTES = 32;
/** Where all files together take more, the least recently used ones go. A kernel's takes some 10 MB, with all modules 40. */
const MOST_BYTES = 1 << 29;

/**
 * @param folder made when something is to be kept
 * @param program what else the graphs depend on: which program makes them
 */
export function graphCache(
  folder: string,
  program: string,
  mostBytes = MOST_BYTES,
): (files: GraphFiles) => GraphKeeper {
  return (files) => {
    const path = (): string | null => {
      const identity = filesIdentity([files.input, ...files.modules, ...files.debuginfo]);
      if (identity === null) return null;
      const parts = [program, process.versions.v8, identity, files.input, files.modules, files.debuginfo];
      return join(folder, createHash("sha256").update(JSON.stringify(parts)).digest("hex") + ENDING);
    };
    const before = path();
    return {
      find: () => (before === null ? null : read(before)),
      // A file that changed while it was read: who knows what of it was.
      keep(graph) {
        if (before !== null && before === path()) write(folder, before, graph, mostBytes);
      },
    };
  };
}

/** With `sudo` a home may be somebody else's: who can write into the folder could tell another user anything. */
function isOwn(folder: string): boolean {
  return statSync(folder).uid === process.geteuid?.();
}

function read(path: string): KnownGraph | null {
  try {
    if (!isOwn(dirname(path))) return null;
    const bytes = readFileSync(path);
    const kept = bytes.subarray(DIGEST_BYTES);
    if (!bytes.subarray(0, DIGEST_BYTES).equals(digest(kept))) return null;
    const now = new Date();
    utimesSync(path, now, now);
    return deserialize(kept) as KnownGraph;
  } catch {
    return null;
  }
}

function write(folder: string, path: string, graph: KnownGraph, mostBytes: number): void {
  try {
    const bytes = serialize(graph);
    if (bytes.length > mostBytes) return;
    // Addresses of a kernel are nobody else's business.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(folder)) return;
    writeWhole(path, true, (sink) => {
      sink(0, digest(bytes));
      sink(DIGEST_BYTES, bytes);
    });
    removeOldest(folder, mostBytes);
  } catch {
    // A full disk, no home, a folder of somebody else: then it takes as long the next time.
  }
}

function digest(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function removeOldest(folder: string, mostBytes: number): void {
  const files = readdirSync(folder)
    .filter((name) => name.includes(ENDING))
    .map((name) => join(folder, name))
    .map((path) => ({ path, ...sizeAndTime(path) }))
    .sort((a, b) => b.used - a.used);
  let total = 0;
  for (const { path, size } of files) {
    total += size;
    if (total > mostBytes) rmSync(path, { force: true });
  }
}

function sizeAndTime(path: string): { size: number; used: number } {
  const stat = statSync(path, { throwIfNoEntry: false });
  return { size: stat?.size ?? 0, used: stat?.mtimeMs ?? 0 };
}
