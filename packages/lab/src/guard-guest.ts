import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { spillwaySources } from "@spillway/guard";
import { ensureCompiler, ensureFileSystemPrograms, requireProgram } from "./debian-packages.ts";
import type { LabKernel } from "./kernel-cache.ts";
import { ensureModule, ensureProgram, findSources } from "./kernel-module-build.ts";
import { readKernelModules } from "./kernel-modules.ts";
import { type Progress, silent } from "./progress.ts";
import { runScript, type ScriptGuest, type ScriptResult } from "./script-guest.ts";

/** What a guard guest may have besides spillway.ko and the chain of devices. */
export interface GuardGuest extends Partial<ScriptGuest> {
  /** Modules of `packages/lab/guard/`, to be loaded by the script: `/faults.ko`, `/patch.ko`. */
  readonly guardModules?: readonly ("faults" | "patch")[];
  /** Put `observe` into the guest. */
  readonly observe?: boolean;
  /** Put `tasks` into the guest: arrivals and hold times of known laws. */
  readonly tasks?: boolean;
  /** The kernel's own modules, loaded before the script runs; those built in are left out. */
  readonly kernelModules?: readonly string[];
  /** Programs that make file systems, by their name. */
  readonly tools?: readonly string[];
  readonly progress?: Progress;
}

/** Shell functions for scripts that look at spillway.ko. */
const HELPERS = `
S=/sys/kernel/spillway
C=/sys/module/cascade/parameters
F=/sys/module/faults/parameters
T=/sys/kernel/tracing
insmod /cascade.ko
echo sink > $C/target
# state NAME...: "NAME=value ..." on one line.
state() { for f in "$@"; do echo -n "$f=$(cat $S/$f) "; done; echo; }
# try FILE VALUE: writes a control, and says what became of it.
try() {
  if echo "$2" 2>/dev/null > $S/$1; then echo "set $1 to $2: ok"
  else echo "set $1 to $2: refused, is $(cat $S/$1)"; fi
}
# until_true COMMAND...: waits for it to succeed, two minutes at most.
until_true() { for second in $(seq 120); do "$@" && return; sleep 1; done; echo "gave up: $*"; false; }
settled() { [ $(($(cat $C/holding) + $(cat $S/refusals))) -ge $1 ]; }
holding() { [ $(cat $C/holding) -eq $1 ]; }
idle() { [ $(cat $S/in_use) -eq 0 ]; }
# unload: once nothing is in use, and the module's hold on itself is gone.
unload() { until_true rmmod spillway 2>/dev/null; }
writers() { ps | grep "flow write" | grep -v grep | sed 's/^ *//; s/ .*//'; }
# total FILE: the sum of a histogram's counts.
total() { awk '{ n += $2 } END { print n + 0 }' $S/$1; }
# point NAME FILE: a critical point's counter.
point() { cat $S/points/$1/$2; }
# traces: what a module that is not loaded must not have left behind.
traces() {
  grep -c '^spillway ' /proc/modules; grep -c '\\[spillway\\]' /proc/kallsyms; ls -d $S 2>/dev/null | wc -l
  [ -e $T/enabled_functions ] || mount -t tracefs tracefs $T; grep -c -e spw_ -e spillway $T/enabled_functions
}
`;

/** A guest with spillway.ko, the chain of devices that needs it, and the program that drives them. */
export async function runGuardScript(
  kernel: LabKernel,
  script: string,
  options: GuardGuest = {},
): Promise<ScriptResult> {
  const progress = options.progress ?? silent;
  await ensureCompiler(progress);
  const guard = findSources(["../guard", "../../lab/guard"]);
  const build = async (name: string, sources: string): Promise<Buffer> =>
    readFile(await ensureModule(kernel, name, sources, progress, true));
  const files = new Map<string, Uint8Array>(options.files ?? []);
  files.set("spillway.ko", await build("spillway", spillwaySources()));
  for (const name of ["cascade", ...(options.guardModules ?? [])]) {
    files.set(`${name}.ko`, await build(name, join(guard, name)));
  }
  const loads: string[] = [];
  for (const [name, module] of await readKernelModules(kernel, options.kernelModules ?? [])) {
    files.set(`modules/${name}.ko`, module);
    loads.push(`insmod /modules/${name}.ko || echo "insmod ${name} failed"`);
  }
  if (options.tools !== undefined) await ensureFileSystemPrograms(progress);
  const programs = [...(options.programs ?? []), ...(options.tools ?? []).map(requireProgram)];
  const drivers = ["flow", ...(options.observe ? ["observe"] : []), ...(options.tasks ? ["tasks"] : [])];
  for (const name of drivers) {
    programs.push(await ensureProgram(name, join(guard, `${name}.c`), progress));
  }
  return runScript({
    ...options,
    kernel,
    files,
    programs,
    script: `${loads.join("\n")}\n${HELPERS}\n${script}`,
  });
}
