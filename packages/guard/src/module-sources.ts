import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SpillwayError } from "@spillway/core";

/** What a build needs of a folder of sources. */
const SOURCE = /^(Kbuild|.*\.[chS])$/;

/**
 * The first of some places that is there and holds a module's sources.
 * @param places relative to `from`, or absolute
 * @param from the URL of the file that asks: a source file, or the bundled command line
 * @returns null where there is none
 */
export function firstFolder(places: readonly string[], from: string): string | null {
  const folders = places.map((path) => fileURLToPath(new URL(path, from)));
  return folders.find((folder) => existsSync(folder)) ?? null;
}

/** Names of the files of a folder that kbuild takes part of, in order. */
export function sourceNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => SOURCE.test(file))
    .sort();
}

/** The bundle keeps a copy beside itself; seen from this file and from a bundle in a checkout, it is the repository's. */
const PLACES = ["./kernel-module", "../../../kernel-module"];

/**
 * The folder with the sources of spillway.ko.
 * @throws SpillwayError SPW_GUARD_SOURCES
 */
export function spillwaySources(): string {
  const folder = firstFolder(PLACES, import.meta.url);
  if (folder !== null && existsSync(join(folder, "Kbuild"))) return folder;
  throw new SpillwayError("SPW_GUARD_SOURCES", "the sources of spillway.ko are not beside this program", {
    class: "environment",
    facts: { searched: PLACES.map((path) => fileURLToPath(new URL(path, import.meta.url))) },
    hint: "keep the folder kernel-module that comes with spillway.js beside it, or run from a checkout",
  });
}
