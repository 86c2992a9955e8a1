import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { spillwaySources } from "@spillway/guard";
import { ensureCompiler } from "./debian-packages.ts";
import type { LabKernel } from "./kernel-cache.ts";
import { ensureModule, ensureProgram, findSources } from "./kernel-module-build.ts";
import { type Progress, silent } from "./progress.ts";
import { runScript, type ScriptGuest, type ScriptResult } from "./script-guest.ts";

/** Shell functions for scripts that look at spillway.ko. */
const HELPERS = `
S=/sys/kernel/spillway
C=/sys/module/cascade/parameters
insmod /cascade.ko
echo sink > $C/target
# state NAME...: "NAME=value ..." on one line.
state() { for f in "$@"; do echo -n "$f=$(cat $S/$f) "; done; echo; }
# try FILE VALUE: writes a control, and says what became of it.
try() {
  if echo "$2" 2>/dev/null > $S/$1; then echo "set $1 to $2: ok"
  else echo "set $1 to $2: refused, is $(cat $S/$1)"; fi
}
# until_true COMMAND...: waits for it to succeed, 20 seconds at most.
until_true() { for second in $(seq 20); do "$@" && return; sleep 1; done; }
settled() { [ $(($(cat $C/holding) + $(cat $S/refusals))) -ge $1 ]; }
writers() { ps | grep "flow write" | grep -v grep | sed 's/^ *//; s/ .*//'; }
`;

/** A guest with spillway.ko, the chain of devices that needs it, and the program that drives them. */
export async function runGuardScript(
  kernel: LabKernel,
  script: string,
  options: Partial<ScriptGuest> & { readonly progress?: Progress } = {},
): Promise<ScriptResult> {
  const progress = options.progress ?? silent;
  await ensureCompiler(progress);
  const spillway = spillwaySources();
  const guard = findSources(["../guard", "../../lab/guard"]);
  const files = new Map([
    ["spillway.ko", await readFile(await ensureModule(kernel, "spillway", spillway, progress, true))],
    ["cascade.ko", await readFile(await ensureModule(kernel, "cascade", join(guard, "cascade"), progress, true))],
    ...(options.files ?? []),
  ]);
  const flow = await ensureProgram("flow", join(guard, "flow.c"), progress);
  return runScript({
    ...options,
    kernel,
    files,
    programs: [flow, ...(options.programs ?? [])],
    script: `${HELPERS}\n${script}`,
  });
}
