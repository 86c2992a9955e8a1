/** Installing by DKMS, so that every kernel that comes gets its module. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SpillwayError } from "@spillway/core";
import { findProgram } from "./find-program.ts";
import type { Host } from "./host.ts";
import { requireBuildFolder } from "./kernel-headers.ts";
import { sourceNames, spillwaySources } from "./module-sources.ts";
import { type Progress, silent } from "./progress.ts";
import { type ProgramResult, runProgram, tail } from "./run-program.ts";

/** What the package is called in DKMS, and its folder in /usr/src. */
export interface DkmsPackage {
  readonly name: string;
  readonly version: string;
}

/** The name and version that a dkms.conf gives its package; null where it gives none. */
export function parseDkmsConf(text: string): DkmsPackage | null {
  const value = (key: string) => new RegExp(`^${key}="?([\\w.+~-]+)"?\\s*$`, "m").exec(text)?.[1];
  const name = value("PACKAGE_NAME");
  const version = value("PACKAGE_VERSION");
  return name === undefined || version === undefined ? null : { name, version };
}

/** What DKMS has of a package: `spillway/0.1.0, 6.1.0-57-amd64, x86_64: installed`, or without kernel: `spillway/0.1.0: added`. */
export interface DkmsEntry {
  readonly version: string;
  /** null: added, but for no kernel yet. */
  readonly release: string | null;
  readonly state: string;
}

/** `dkms status spillway` as entries; DKMS 2 has a comma where 3 has a slash. */
export function parseDkmsStatus(text: string): DkmsEntry[] {
  return text.split("\n").flatMap((line) => {
    const match = /^spillway(?:\/|, )([^,:]+)(?:, ([^,:]+), [^,:]+)?: (\w+)/.exec(line);
    return match === null ? [] : [{ version: match[1]!, release: match[2] ?? null, state: match[3]! }];
  });
}

export interface InstallRequest {
  readonly release: string;
}

export interface InstallResult extends DkmsPackage {
  readonly release: string;
  /** The folder with the sources that DKMS builds from. */
  readonly sources: string;
  /** Of this package, everything that DKMS has now. */
  readonly entries: readonly DkmsEntry[];
}

/** DKMS's own options for another root than /; tests use them. */
function treeOptions(host: Host): string[] {
  if (host.root === "/") return [];
  return [
    ...["--dkmstree", host.path("/var/lib/dkms")],
    ...["--sourcetree", host.path("/usr/src")],
    ...["--installtree", host.path("/lib/modules")],
  ];
}

function requireDkms(): string {
  const dkms = findProgram("dkms");
  if (dkms !== null) return dkms;
  throw new SpillwayError("SPW_GUARD_PROGRAM_MISSING", "DKMS is not installed", {
    class: "environment",
    facts: { program: "dkms" },
    hint:
      "sudo apt-get install dkms (Fedora: dnf install dkms); without it, spillway guard build makes a module for one " +
      "kernel, which spillway guard load --module loads",
  });
}

function requireRoot(host: Host, what: string): void {
  if (host.uid === 0) return;
  throw new SpillwayError("SPW_GUARD_PERMISSION", `only root may ${what}`, {
    class: "environment",
    hint: "run it with sudo",
  });
}

function readConf(sources: string): DkmsPackage {
  const conf = parseDkmsConf(readFileSync(join(sources, "dkms.conf"), "utf8"));
  if (conf !== null) return conf;
  throw new SpillwayError("SPW_GUARD_SOURCES", "the module's dkms.conf does not name its package", {
    class: "environment",
    facts: { file: join(sources, "dkms.conf") },
  });
}

/** What DKMS has of spillway; empty where there is no DKMS. */
export async function dkmsEntries(host: Host): Promise<DkmsEntry[]> {
  const dkms = findProgram("dkms");
  if (dkms === null) return [];
  const { stdout } = await runProgram(dkms, ["status", "-m", "spillway", ...treeOptions(host)]);
  return parseDkmsStatus(stdout);
}

/**
 * Installs the module by DKMS: puts its sources into /usr/src, builds and installs it for one kernel; DKMS does so for
 * kernels to come. An older version is taken out once the new one is in; the same one is built anew.
 * @throws SpillwayError SPW_GUARD_PERMISSION, SPW_GUARD_PROGRAM_MISSING, SPW_GUARD_NO_HEADERS, SPW_GUARD_SOURCES,
 *   SPW_GUARD_DKMS_FAILED
 */
export async function installModule(
  host: Host,
  request: InstallRequest,
  progress: Progress = silent,
): Promise<InstallResult> {
  requireRoot(host, "install kernel modules");
  const dkms = requireDkms();
  requireBuildFolder(host, request.release);
  const from = spillwaySources();
  const { name, version } = readConf(from);
  const before = await dkmsEntries(host);
  const run = (step: string, ...args: string[]) => {
    progress(`${step} spillway ${version}`);
    return runProgram(dkms, [...args, ...treeOptions(host)]);
  };

  if (before.some((entry) => entry.version === version)) {
    requireDone(await run("taking out", "remove", `${name}/${version}`, "--all"), "take out what was there");
  }
  const sources = host.path(`/usr/src/${name}-${version}`);
  rmSync(sources, { recursive: true, force: true });
  mkdirSync(sources, { recursive: true });
  for (const file of [...sourceNames(from), "dkms.conf"]) cpSync(join(from, file), join(sources, file));
  requireDone(await run("adding", "add", `${name}/${version}`), "add the sources");
  const kernel = ["-k", request.release, "--force"];
  const build = await run("building", "build", `${name}/${version}`, ...kernel);
  if (build.status !== 0) throw dkmsFailed("build the module", build, buildLog(host, { name, version }));
  requireDone(await run("installing", "install", `${name}/${version}`, ...kernel), "install the module");

  const older = new Set(before.map((entry) => entry.version).filter((other) => other !== version));
  for (const other of older) await removeVersion(host, dkms, { name, version: other });
  return { name, version, release: request.release, sources, entries: await dkmsEntries(host) };
}

/**
 * Takes every version out of DKMS, for all kernels, and its sources out of /usr/src. A loaded module stays loaded.
 * @returns the versions that were taken out
 * @throws SpillwayError SPW_GUARD_PERMISSION, SPW_GUARD_DKMS_FAILED
 */
export async function uninstallModule(host: Host, progress: Progress = silent): Promise<string[]> {
  requireRoot(host, "take kernel modules out");
  const versions = [...new Set((await dkmsEntries(host)).map((entry) => entry.version))];
  for (const version of versions) {
    progress(`taking out spillway ${version}`);
    await removeVersion(host, requireDkms(), { name: "spillway", version });
  }
  return versions;
}

async function removeVersion(host: Host, dkms: string, { name, version }: DkmsPackage): Promise<void> {
  const result = await runProgram(dkms, ["remove", `${name}/${version}`, "--all", ...treeOptions(host)]);
  requireDone(result, `take out version ${version}`);
  rmSync(host.path(`/usr/src/${name}-${version}`), { recursive: true, force: true });
}

/** The compiler's messages, which DKMS keeps in a file. */
function buildLog(host: Host, { name, version }: DkmsPackage): string {
  const path = host.path(`/var/lib/dkms/${name}/${version}/build/make.log`);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function requireDone(result: ProgramResult, what: string): void {
  if (result.status !== 0) throw dkmsFailed(what, result, "");
}

function dkmsFailed(what: string, { status, stdout, stderr }: ProgramResult, log: string): SpillwayError {
  const said = `${stdout}\n${stderr}`.split("\n").map((line) => line.trim());
  const output = [...tail(said.filter((line) => line !== "").join("\n"), 20), ...tail(log, 20)];
  const line = said.find((text) => /^Error!|error:/i.test(text)) ?? said.findLast((text) => text !== "") ?? "";
  return new SpillwayError("SPW_GUARD_DKMS_FAILED", `DKMS could not ${what}: ${line.replace(/^Error! /, "")}`, {
    class: "environment",
    facts: { status, output },
    hint: "--debug shows what it said",
  });
}
