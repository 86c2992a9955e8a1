/** Loading at boot: systemd-modules-load(8) and modprobe.d(5). */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { SpillwayError } from "@spillway/core";
import type { Host } from "./host.ts";
import { type ModuleParameters, parameterWords } from "./module-parameters.ts";

const LOAD = "/etc/modules-load.d/spillway.conf";
const OPTIONS = "/etc/modprobe.d/spillway.conf";
const HEAD = "# Written by spillway guard install --boot; spillway guard uninstall takes it away.\n";

/** A file to write. */
export interface BootFile {
  readonly path: string;
  readonly text: string;
}

/** The files that let a machine load the module when it boots, with these parameters. */
export function bootFiles(parameters: ModuleParameters): BootFile[] {
  const words = parameterWords(parameters);
  const options = words.length === 0 ? "" : `options spillway ${words.join(" ")}\n`;
  return [
    { path: LOAD, text: `${HEAD}spillway\n` },
    { path: OPTIONS, text: `${HEAD}${options}` },
  ];
}

/**
 * Writes them.
 * @returns their paths
 * @throws SpillwayError SPW_OUTPUT_FAILED
 */
export function writeBootFiles(host: Host, parameters: ModuleParameters): string[] {
  return bootFiles(parameters).map(({ path, text }) => {
    try {
      mkdirSync(dirname(host.path(path)), { recursive: true });
      writeFileSync(host.path(path), text);
    } catch (cause) {
      throw new SpillwayError("SPW_OUTPUT_FAILED", `${path}: it cannot be written: ${(cause as Error).message}`, {
        class: "environment",
        facts: { path },
        cause,
      });
    }
    return path;
  });
}

/** Takes away those of them that were written here; what a person wrote stays. @returns the paths taken away */
export function removeBootFiles(host: Host): string[] {
  return [LOAD, OPTIONS].filter((path) => {
    try {
      if (!readFileSync(host.path(path), "utf8").startsWith(HEAD)) return false;
      rmSync(host.path(path));
      return true;
    } catch {
      return false;
    }
  });
}
