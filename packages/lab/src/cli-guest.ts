import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sourceNames, spillwaySources } from "@spillway/guard";
import { runGuardScript } from "./guard-guest.ts";
import type { LabKernel } from "./kernel-cache.ts";
import type { Progress } from "./progress.ts";
import type { ScriptGuest, ScriptResult } from "./script-guest.ts";

/** Room for Node, its initramfs and a guest, in MiB. */
const MEMORY_MIB = 1024;

const HELPERS = `
export NO_COLOR=1 COLUMNS=100
spillway() { node /spillway/spillway.js "$@"; }
`;

/**
 * A guest of `runGuardScript` with the bundled command line in it: `spillway ARGUMENTS` runs it on the Node that runs this.
 * @param bundle the bundled command line, one file
 */
export async function runCliScript(
  kernel: LabKernel,
  bundle: string,
  script: string,
  options: Partial<ScriptGuest> & { readonly progress?: Progress } = {},
): Promise<ScriptResult> {
  const sources = spillwaySources();
  const files = new Map<string, Uint8Array>([
    ["spillway/spillway.js", await readFile(bundle)],
    ["spillway/package.json", Buffer.from('{ "type": "module" }')],
    ...(options.files ?? []),
  ]);
  for (const name of sourceNames(sources))
    files.set(`spillway/kernel-module/${name}`, await readFile(join(sources, name)));
  return runGuardScript(kernel, `${HELPERS}\n${script}`, {
    memoryMiB: MEMORY_MIB,
    ...options,
    files,
    programs: [process.execPath, ...(options.programs ?? [])],
  });
}
