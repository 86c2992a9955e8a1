import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { SpillwayError } from "@spillway/core";

/** The full path of a program, looked for in PATH and where administrators' programs are kept; null: it is not there. */
export function findProgram(program: string): string | null {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/bin", "/bin"];
  for (const folder of folders) {
    if (folder === "") continue;
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

/** Debian's package of each program that the guard runs; other distributions mostly call it the same. */
const PACKAGES: Readonly<Record<string, string>> = {
  make: "make",
  gcc: "gcc",
  dkms: "dkms",
  insmod: "kmod",
  rmmod: "kmod",
  modprobe: "kmod",
};

/** @throws SpillwayError SPW_GUARD_PROGRAM_MISSING */
export function requireGuardProgram(program: string): string {
  const path = findProgram(program);
  if (path !== null) return path;
  const owner = PACKAGES[program] ?? program;
  throw new SpillwayError("SPW_GUARD_PROGRAM_MISSING", `the program ${program} is not installed`, {
    class: "environment",
    facts: { program, package: owner },
    hint: `install it: sudo apt-get install ${owner} (or what your distribution calls it)`,
  });
}
