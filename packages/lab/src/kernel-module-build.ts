import { createHash } from "node:crypto";
import { copyFile, cp, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SpillwayError } from "@spillway/core";
import { cacheFolder, exists, fillOnce } from "./cache.ts";
import { tail, tryCommand } from "./command.ts";
import { requireProgram } from "./debian-packages.ts";
import type { LabKernel } from "./kernel-cache.ts";
import type { Progress } from "./progress.ts";

/** What a build needs of a folder of sources. */
const SOURCE = /^(Kbuild|.*\.[chS])$/;

/**
 * A folder of sources by its places: seen from this file, and from the bundled command line (`packages/cli/dist`).
 * @throws SpillwayError SPW_LAB_MODULE_SOURCES
 */
export async function findSources(places: readonly string[]): Promise<string> {
  const folders = places.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  for (const folder of folders) {
    if (await exists(folder)) return folder;
  }
  throw new SpillwayError("SPW_LAB_MODULE_SOURCES", "the sources of a kernel module are not there", {
    class: "environment",
    facts: { searched: folders },
    hint: "run the lab from a checkout of the repository",
  });
}

async function fingerprint(folder: string, names: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const name of names) hash.update(`${name}\0`).update(await readFile(join(folder, name)));
  return hash.digest("hex").slice(0, 16);
}

/**
 * Builds a module for a kernel, unless the cache has it already.
 * @param sources the folder with its Kbuild
 * @param strict take a compiler's warning for an error
 * @returns the path of `NAME.ko`
 * @throws SpillwayError SPW_LAB_MODULE_BUILD with the compiler's messages
 */
export async function ensureModule(
  kernel: LabKernel,
  name: string,
  sources: string,
  progress: Progress,
  strict = false,
): Promise<string> {
  const names = (await readdir(sources)).filter((file) => SOURCE.test(file)).sort();
  const folder = join(cacheFolder(), "modules", kernel.release, await fingerprint(sources, names));
  await fillOnce(folder, async (empty) => {
    progress(`building ${name}.ko for ${kernel.release}`);
    // kbuild writes next to the sources.
    const build = join(empty, "build");
    await mkdir(build);
    for (const file of names) await cp(join(sources, file), join(build, file));
    const result = await tryCommand("make", ["-s", "-C", kernel.headers, `M=${build}`, "modules"]);
    if (result.status !== 0 || (strict && /warning:/i.test(result.stderr))) {
      throw new SpillwayError("SPW_LAB_MODULE_BUILD", `${name}.ko does not build for ${kernel.release}`, {
        class: "environment",
        facts: { release: kernel.release, output: tail(result.stderr, 20) },
        hint: `see that linux-headers-${kernel.release} is installed completely`,
      });
    }
    await copyFile(join(build, `${name}.ko`), join(empty, `${name}.ko`));
  });
  return join(folder, `${name}.ko`);
}

/**
 * Compiles a program of one C file for the guest, linked statically, unless the cache has it already.
 * @throws SpillwayError SPW_LAB_MODULE_BUILD with the compiler's messages
 */
export async function ensureProgram(name: string, source: string, progress: Progress): Promise<string> {
  const hash = createHash("sha256")
    .update(await readFile(source))
    .digest("hex")
    .slice(0, 16);
  const folder = join(cacheFolder(), "programs", hash);
  await fillOnce(folder, async (empty) => {
    progress(`compiling ${name}`);
    const result = await tryCommand(requireProgram("gcc"), [
      "-O2",
      "-Wall",
      "-static",
      "-o",
      join(empty, name),
      source,
    ]);
    if (result.status === 0) return;
    throw new SpillwayError("SPW_LAB_MODULE_BUILD", `${name} does not compile`, {
      class: "environment",
      facts: { output: tail(result.stderr, 20) },
    });
  });
  return join(folder, name);
}
