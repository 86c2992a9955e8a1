import { statSync } from "node:fs";
import type { ByteSource, DebugFileFinder, DebugFileRequest } from "@spillway/core";
import {
  filesBelow,
  type PlacesEnvironment,
  processEnvironment,
  usualFiles,
  usualModuleTrees,
} from "./debug-places.ts";
import { FileSource } from "./file-source.ts";
import { ModuleTrees } from "./module-trees.ts";
import { nodeCodecs } from "./node-codecs.ts";

/**
 * Finds debug files on this machine: first in what the user named (files, or directories to look in), then in the usual places.
 * Nothing is opened before it is asked for, but for the files named.
 * @throws SpillwayError `SPW_INPUT_NOT_FOUND`, `SPW_INPUT_UNREADABLE`, `SPW_INPUT_NOT_A_FILE` for a path that was named
 */
export class DiskDebugFiles implements DebugFileFinder {
  readonly named: readonly ByteSource[];
  readonly codecs = nodeCodecs;
  readonly #directories: readonly string[];
  readonly #environment: PlacesEnvironment | null;
  #trees: ModuleTrees | null = null;

  /** @param environment where the usual places are; null: none but what was named */
  constructor(paths: readonly string[], environment: PlacesEnvironment | null = processEnvironment()) {
    this.#directories = paths.filter(isDirectory);
    this.named = paths.filter((path) => !this.#directories.includes(path)).map((path) => new FileSource(path));
    this.#environment = environment;
  }

  *candidates(request: DebugFileRequest): Generator<ByteSource> {
    const seen = new Set<string>();
    for (const path of this.#paths(request)) {
      const source = openOnce(path, seen);
      if (source !== null) yield source;
    }
  }

  *#paths(request: DebugFileRequest): Generator<string> {
    for (const directory of this.#directories) yield* filesBelow(directory, request);
    const environment = this.#environment;
    if (environment !== null) yield* usualFiles(request, environment);
    if (request.kind === "module") {
      const usual = environment === null ? [] : usualModuleTrees(request.release, environment);
      this.#trees ??= new ModuleTrees([...this.#directories, ...usual]);
      yield* this.#trees.named(request.name);
    }
  }
}

/** What cannot be told (links in a circle, a folder that may not be entered) is told when it is opened. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Null where there is no such file, or it was opened under another name already (links), or it may not be read. */
function openOnce(path: string, seen: Set<string>): FileSource | null {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    // An empty file is how the debuginfod client remembers that a server has none.
    if (stat === undefined || !stat.isFile() || stat.size === 0) return null;
    const key = `${stat.dev}:${stat.ino}`;
    if (seen.has(key)) return null;
    seen.add(key);
    return new FileSource(path);
  } catch {
    return null;
  }
}
