import { homedir } from "node:os";
import { join } from "node:path";

/** Where is kept what can be made again: `$XDG_CACHE_HOME/spillway`, else `~/.cache/spillway`. */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = environment.XDG_CACHE_HOME;
  // The specification says that a relative path is to be ignored.
  return join(base?.startsWith("/") ? base : join(homedir(), ".cache"), "spillway");
}
