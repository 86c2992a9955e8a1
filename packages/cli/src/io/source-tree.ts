import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The longest file of the kernel is a generated header of some 20 MB. */
const LARGEST = 64 << 20;

/**
 * The lines of a source file, looked for below a directory by its path as the compiler had it, and then by ever fewer of its leading
 * parts: builders put their own directories before the tree's. Null where it is not there.
 */
export function sourceLines(directory: string, path: string): readonly string[] | null {
  // A path from a debug file leads nowhere outside the directory.
  const parts = path.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
  for (let from = 0; from < parts.length; from++) {
    const file = join(directory, ...parts.slice(from));
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() && stat.size <= LARGEST) return readFileSync(file, "utf8").split(/\r?\n/);
  }
  return null;
}
