import { existsSync } from "node:fs";
import { type ConfigFile, isKernelConfig, parseKernelConfig, SpillwayError } from "@spillway/core";
import { readText } from "./read-text.ts";

/** Where distributions keep a kernel's configuration, by what `uname -r` prints. */
const PLACES = ["/boot/config-", "/lib/modules/", "/usr/lib/modules/"] as const;

/**
 * The configuration that `--config FILE|auto` names.
 * @param release for `auto`: which kernel's
 * @throws SpillwayError as `readText`; `SPW_CONFIG_NOT_FOUND`, `SPW_CONFIG_UNKNOWN_FORM`
 */
export function readConfig(given: string, release: string, exists: (path: string) => boolean = existsSync): ConfigFile {
  const path = given === "auto" ? findConfig(release, exists) : given;
  const config = parseKernelConfig(readText(path));
  if (!isKernelConfig(config)) {
    throw new SpillwayError("SPW_CONFIG_UNKNOWN_FORM", `${path}: this is no kernel configuration`, {
      facts: { path },
      hint: "It has lines like CONFIG_VMAP_STACK=y; distributions keep it as /boot/config-RELEASE.",
    });
  }
  return { config, name: path };
}

function findConfig(release: string, exists: (path: string) => boolean): string {
  const paths = PLACES.map((place) => (place.endsWith("/") ? `${place}${release}/config` : `${place}${release}`));
  // The release comes from the dump: it must not lead out of the directory.
  const found = /^[\w.+~-]+$/.test(release) ? paths.find(exists) : undefined;
  if (found !== undefined) return found;
  throw new SpillwayError("SPW_CONFIG_NOT_FOUND", `no configuration of ${release || "this kernel"} on this machine`, {
    class: "missing",
    facts: { release, searched: paths },
    hint: "Give the file: --config FILE.",
  });
}
