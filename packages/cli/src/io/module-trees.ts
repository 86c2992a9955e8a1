import { readdirSync } from "node:fs";
import { join } from "node:path";
import { moduleNameOf } from "@spillway/core";

/** A release's tree holds some thousand files in some hundred directories. */
const MOST_DIRECTORIES = 20_000;

/** Files of modules by the modules' names, below directories that are read when the first name is asked for. */
export class ModuleTrees {
  readonly #trees: readonly string[];
  #files: Map<string, string[]> | null = null;

  constructor(trees: readonly string[]) {
    this.#trees = trees;
  }

  /** Paths in the order of the trees. */
  named(module: string): readonly string[] {
    this.#files ??= this.#read();
    return this.#files.get(module) ?? [];
  }

  #read(): Map<string, string[]> {
    const files = new Map<string, string[]>();
    for (const tree of this.#trees) {
      const directories = [tree];
      for (let i = 0; i < directories.length && i < MOST_DIRECTORIES; i++) {
        const directory = directories[i] as string;
        for (const entry of entriesOf(directory)) {
          // Links lead to the kernel's sources, or in circles.
          if (entry.isDirectory()) directories.push(join(directory, entry.name));
          else if (/\.ko(\.debug)?$/.test(entry.name)) {
            const name = moduleNameOf(entry.name);
            const known = files.get(name);
            const path = join(directory, entry.name);
            if (known === undefined) files.set(name, [path]);
            else known.push(path);
          }
        }
      }
    }
    return files;
  }
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    // Not there, or not ours to read: then nothing is found in it.
    return [];
  }
}
