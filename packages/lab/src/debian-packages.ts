import { existsSync } from "node:fs";
import { SpillwayError } from "@spillway/core";
import { findProgram } from "@spillway/guard";
import { runCommand, tryCommand } from "./command.ts";
import type { Progress } from "./progress.ts";

/** A program the lab runs and the Debian package it comes from. */
interface NeededProgram {
  readonly program: string;
  readonly package: string;
  readonly neededFor: "all" | "kdump" | "guest-programs" | "file-systems" | "spin";
}

const NEEDED: readonly NeededProgram[] = [
  { program: "qemu-system-x86_64", package: "qemu-system-x86", neededFor: "all" },
  { program: "busybox", package: "busybox-static", neededFor: "all" },
  { program: "setpriv", package: "util-linux", neededFor: "all" },
  { program: "xz", package: "xz-utils", neededFor: "all" },
  { program: "make", package: "make", neededFor: "all" },
  { program: "kexec", package: "kexec-tools", neededFor: "kdump" },
  { program: "makedumpfile", package: "makedumpfile", neededFor: "kdump" },
  { program: "gcc", package: "gcc", neededFor: "guest-programs" },
  { program: "mkfs.ext4", package: "e2fsprogs", neededFor: "file-systems" },
  { program: "mkfs.xfs", package: "xfsprogs", neededFor: "file-systems" },
  { program: "dmsetup", package: "dmsetup", neededFor: "file-systems" },
  { program: "spin", package: "spin", neededFor: "spin" },
];

/** The C library to link a guest's programs with: no program, so told by its archive. */
const C_LIBRARY = { file: "/usr/lib/x86_64-linux-gnu/libc.a", package: "libc6-dev" };

/** @throws SpillwayError SPW_LAB_PROGRAM_MISSING */
export function requireProgram(program: string): string {
  const path = findProgram(program);
  if (path !== null) return path;
  const owner = NEEDED.find((needed) => needed.program === program)?.package ?? program;
  throw new SpillwayError("SPW_LAB_PROGRAM_MISSING", `the program ${program} is not installed`, {
    class: "environment",
    facts: { program, package: owner },
    hint: `install it: sudo apt-get install ${owner}`,
  });
}

/** May packages be installed here? */
export function mayInstall(): boolean {
  return process.getuid?.() === 0 && findProgram("apt-get") !== null;
}

let listsAreFresh = false;

/** Fetches the package lists, at most once in this process. Does nothing for those who may not. */
export async function updatePackageLists(progress: Progress): Promise<void> {
  if (listsAreFresh || !mayInstall()) return;
  listsAreFresh = true;
  progress("fetching the package lists");
  await runCommand("apt-get", ["update", "-q"]);
}

/**
 * Installs Debian packages, with fresh package lists if need be.
 * @throws SpillwayError SPW_LAB_PACKAGES_MISSING when it is not allowed or does not work
 */
export async function installPackages(packages: readonly string[], progress: Progress): Promise<void> {
  if (packages.length === 0) return;
  const missing = (why: string, cause?: unknown): SpillwayError =>
    new SpillwayError("SPW_LAB_PACKAGES_MISSING", `${why}: ${packages.join(" ")}`, {
      class: "environment",
      facts: { packages },
      hint: `install them: sudo apt-get install --no-install-recommends ${packages.join(" ")}`,
      cause,
    });
  if (!mayInstall()) throw missing("Debian packages are missing and only root can install them");
  const args = ["install", "-y", "-q", "--no-install-recommends", ...packages];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  progress(`installing ${packages.join(", ")}`);
  if ((await tryCommand("apt-get", args, { env })).status === 0) return;
  await updatePackageLists(progress);
  await runCommand("apt-get", args, { env }).catch((error: unknown) => {
    throw missing("Debian packages could not be installed", error);
  });
}

const missingFor = (...uses: NeededProgram["neededFor"][]): string[] =>
  NEEDED.filter(({ neededFor, program }) => uses.includes(neededFor) && findProgram(program) === null).map(
    (needed) => needed.package,
  );

/** Sees to it that the programs for the captures asked for are there. */
export async function ensurePrograms(withKdump: boolean, progress: Progress): Promise<void> {
  await installPackages(withKdump ? missingFor("all", "kdump") : missingFor("all"), progress);
}

/** Sees to it that the programs which make file systems for guests are there. */
export async function ensureFileSystemPrograms(progress: Progress): Promise<void> {
  await installPackages(missingFor("file-systems"), progress);
}

/** Sees to it that C programs can be compiled for guests. */
export async function ensureCompiler(progress: Progress): Promise<void> {
  const packages = missingFor("guest-programs");
  if (!existsSync(C_LIBRARY.file)) packages.push(C_LIBRARY.package);
  await installPackages(packages, progress);
}

/** Sees to it that SPIN is there, and the compiler that its verifiers need. */
export async function ensureSpin(progress: Progress): Promise<void> {
  await installPackages(missingFor("spin"), progress);
  await ensureCompiler(progress);
}
