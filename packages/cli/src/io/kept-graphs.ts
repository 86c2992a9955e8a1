import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "@spillway/lab/cache-folder";
import type { GraphFiles, GraphKeeper } from "../context.ts";
import { filesIdentity } from "./files-identity.ts";
import { graphCache } from "./graph-cache.ts";

/** Graphs are kept in the user's cache, by the program that makes them as well: another version may find other calls. */
export function keptGraphs(files: GraphFiles): GraphKeeper | null {
  const program = thisProgram();
  return program === null ? null : graphCache(join(cacheFolder(), "graphs"), program)(files);
}

/** Bundled into one file the program is known by its bytes; run from its sources, by theirs. */
function thisProgram(): string | null {
  const path = fileURLToPath(import.meta.url);
  if (!path.endsWith(".ts")) return createHash("sha256").update(readFileSync(path)).digest("hex");
  const packages = join(import.meta.dirname, "..", "..", "..");
  return filesIdentity([join(packages, "core", "src"), join(packages, "cli", "src")]);
}
