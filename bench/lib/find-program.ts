import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** The absolute path of an executable: a path as it is, a bare name through `PATH`. Null if there is none. */
export function findProgram(name: string, path = process.env.PATH ?? ""): string | null {
  const candidates = name.includes("/") ? [resolve(name)] : path.split(delimiter).map((folder) => join(folder, name));
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
