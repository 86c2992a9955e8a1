import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { SpillwayError } from "@spillway/core";
import { exists } from "./cache.ts";
import { requireProgram } from "./debian-packages.ts";
import type { LabKernel } from "./kernel-cache.ts";

const MAX_MODULE_BYTES = 64 * 1024 * 1024;

const unknownModule = (kernel: LabKernel, module: string): SpillwayError =>
  new SpillwayError("SPW_LAB_KERNEL_UNKNOWN", `${kernel.release} has no module ${module}`, {
    class: "environment",
    facts: { release: kernel.release, module },
  });

/**
 * One of a kernel's own modules, unpacked (Debian compresses them from 6.12 on).
 * @param path below `kernel/`, without `.ko`, e.g. `drivers/firmware/qemu_fw_cfg`
 */
export async function readKernelModule(kernel: LabKernel, path: string): Promise<Buffer> {
  const plain = join(kernel.modules, "kernel", `${path}.ko`);
  if (await exists(plain)) return readFile(plain);
  if (await exists(`${plain}.xz`)) {
    const options = { encoding: "buffer", maxBuffer: MAX_MODULE_BYTES } as const;
    return (await promisify(execFile)(requireProgram("xz"), ["-dc", `${plain}.xz`], options)).stdout;
  }
  throw unknownModule(kernel, path);
}

/** The modules that a module needs, by name: what kbuild put into its `.modinfo`. */
export function dependenciesOf(module: Uint8Array): string[] {
  const list = /\0depends=([\w,-]*)\0/.exec(Buffer.from(module).toString("latin1"))?.[1] ?? "";
  return list.split(",").filter((name) => name !== "");
}

/**
 * Some of a kernel's own modules and all that they need, in an order in which they can be loaded.
 * @param names as `lsmod` says them; those that are built into this kernel are left out
 */
export async function readKernelModules(kernel: LabKernel, names: readonly string[]): Promise<Map<string, Buffer>> {
  const canonical = (name: string): string => name.replaceAll("-", "_");
  const root = join(kernel.modules, "kernel");
  const paths = new Map<string, string>();
  for (const path of await readdir(root, { recursive: true })) {
    const match = /^(.*)\.ko(\.xz)?$/.exec(path)?.[1];
    if (match !== undefined) paths.set(canonical(basename(match)), match);
  }
  const builtIn = await readFile(join(kernel.modules, "modules.builtin"), "utf8");
  const found = new Map<string, Buffer>();
  const add = async (name: string): Promise<void> => {
    const path = paths.get(canonical(name));
    if (path === undefined) {
      if (builtIn.split("\n").some((line) => canonical(basename(line, ".ko")) === canonical(name))) return;
      throw unknownModule(kernel, name);
    }
    if (found.has(canonical(name))) return;
    const module = await readKernelModule(kernel, path);
    for (const needed of dependenciesOf(module)) await add(needed);
    found.set(canonical(name), module);
  };
  for (const name of names) await add(name);
  return found;
}
