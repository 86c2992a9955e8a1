import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SpillwayError } from "@spillway/core";
import { firstFolder, kbuild, sourceNames, tail } from "@spillway/guard";
import { fillOnce } from "./cache.ts";
import { cacheFolder } from "./cache-folder.ts";
import { tryCommand } from "./command.ts";
import { requireProgram } from "./debian-packages.ts";
import type { LabKernel } from "./kernel-cache.ts";
import type { Progress } from "./progress.ts";

/**
 * A folder of sources by its places: seen from this file, and from the bundled command line (`packages/cli/dist`).
 * @throws SpillwayError SPW_LAB_MODULE_SOURCES
 */
export function findSources(places: readonly string[]): string {
  const folder = firstFolder(places, import.meta.url);
  if (folder !== null) return folder;
  throw new SpillwayError("SPW_LAB_MODULE_SOURCES", "the sources of a kernel module are not there", {
    class: "environment",
    facts: { searched: places },
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
  const names = sourceNames(sources);
  const folder = join(cacheFolder(), "modules", kernel.release, await fingerprint(sources, names));
  await fillOnce(folder, async (empty) => {
    progress(`building ${name}.ko for ${kernel.release}`);
    const result = await kbuild({
      make: requireProgram("make"),
      headers: kernel.headers,
      sources,
      scratch: join(empty, "build"),
      name,
      output: join(empty, `${name}.ko`),
    });
    if (result.status !== 0 || (strict && /warning:/i.test(result.stderr))) {
      throw new SpillwayError("SPW_LAB_MODULE_BUILD", `${name}.ko does not build for ${kernel.release}`, {
        class: "environment",
        facts: { release: kernel.release, output: tail(result.stderr, 20) },
        hint: `see that linux-headers-${kernel.release} is installed completely`,
      });
    }
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
      "-lm",
    ]);
    if (result.status === 0) return;
    throw new SpillwayError("SPW_LAB_MODULE_BUILD", `${name} does not compile`, {
      class: "environment",
      facts: { output: tail(result.stderr, 20) },
    });
  });
  return join(folder, name);
}
