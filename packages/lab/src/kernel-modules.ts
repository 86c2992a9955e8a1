import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { SpillwayError } from "@spillway/core";
import { exists } from "./cache.ts";
import { requireProgram } from "./debian-packages.ts";
import type { LabKernel } from "./kernel-cache.ts";

const MAX_MODULE_BYTES = 64 * 1024 * 1024;

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
  throw new SpillwayError("SPW_LAB_KERNEL_UNKNOWN", `${kernel.release} has no module ${path}`, {
    class: "environment",
    facts: { release: kernel.release, module: path },
  });
}
