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
say() { name=$1; shift; "$@" >/tmp/said 2>&1; code=$?; echo "<<$name"; cat /tmp/said; echo ">>$name $code"; }
`;

/** What a command of a guest's script printed, and how it ended. */
export interface Said {
  readonly code: number;
  readonly text: string;
}

/** What each `say NAME COMMAND…` of a guest's script came to, by name. */
export function saidIn(console: string): Map<string, Said> {
  const utf8 = Buffer.from(console, "latin1").toString("utf8");
  const entries = [...utf8.matchAll(/^<<(\S+)\n([\s\S]*?)^>>\1 (\d+)$/gm)];
  return new Map(entries.map(([, name, text, code]) => [name!, { code: Number(code), text: text! }]));
}

/**
 * A guest of `runGuardScript` with the bundled command line in it: `spillway ARGUMENTS` runs it on the Node that runs this,
 * and `say NAME COMMAND…` marks what a command prints, for `saidIn`.
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
