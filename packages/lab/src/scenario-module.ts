import { createHash } from "node:crypto";
import { copyFile, cp, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SpillwayError } from "@spillway/core";
import { cacheFolder, exists, fillOnce } from "./cache.ts";
import { tail, tryCommand } from "./command.ts";
import type { LabKernel } from "./kernel-cache.ts";
import type { Progress } from "./progress.ts";

/** Name of the scenario module, as `lsmod` shows it. */
export const SCENARIO_MODULE = "vandal";

/** Where the sources are, seen from this file and from the bundled command line (`packages/cli/dist`). */
const SOURCE_FOLDERS = ["../module", "../../lab/module"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

async function findSources(): Promise<string> {
  for (const folder of SOURCE_FOLDERS) {
    if (await exists(join(folder, "Kbuild"))) return folder;
  }
  throw new SpillwayError("SPW_LAB_MODULE_SOURCES", "the sources of the scenario module are not there", {
    class: "environment",
    facts: { searched: SOURCE_FOLDERS },
    hint: "run the lab from a checkout of the repository",
  });
}

async function fingerprint(folder: string, names: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const name of names) hash.update(`${name}\0`).update(await readFile(join(folder, name)));
  return hash.digest("hex").slice(0, 16);
}

/**
 * Builds the scenario module for a kernel, unless the cache has it already.
 * @returns the path of `vandal.ko`
 * @throws SpillwayError SPW_LAB_MODULE_BUILD with the compiler's messages
 */
export async function ensureScenarioModule(kernel: LabKernel, progress: Progress): Promise<string> {
  const sources = await findSources();
  const names = (await readdir(sources)).filter((name) => name === "Kbuild" || /\.[chS]$/.test(name)).sort();
  const folder = join(cacheFolder(), "modules", kernel.release, await fingerprint(sources, names));
  await fillOnce(folder, async (empty) => {
    progress(`building the scenario module for ${kernel.release}`);
    // kbuild writes next to the sources.
    const build = join(empty, "build");
    await mkdir(build);
    for (const name of names) await cp(join(sources, name), join(build, name));
    const result = await tryCommand("make", ["-s", "-C", kernel.headers, `M=${build}`, "modules"]);
    if (result.status !== 0) {
      throw new SpillwayError("SPW_LAB_MODULE_BUILD", `the scenario module does not build for ${kernel.release}`, {
        class: "environment",
        facts: { release: kernel.release, output: tail(result.stderr, 20) },
        hint: `see that linux-headers-${kernel.release} is installed completely`,
      });
    }
    await copyFile(join(build, `${SCENARIO_MODULE}.ko`), join(empty, `${SCENARIO_MODULE}.ko`));
  });
  return join(folder, `${SCENARIO_MODULE}.ko`);
}
