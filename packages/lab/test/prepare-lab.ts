/**
 * Gets what the lab's tests need (programs, kernels, the scenario module) before the first of them starts: they run beside each
 * other, and only one process at a time may install packages.
 */
import { ensureCompiler, ensureFileSystemPrograms } from "../src/debian-packages.ts";
import { ensureLab } from "../src/ensure-lab.ts";
import { KERNEL_SERIES } from "../src/lab-options.ts";
import { silent } from "../src/progress.ts";

export default async function prepareLab(): Promise<void> {
  await ensureLab(KERNEL_SERIES, ["qemu-elf", "qemu-kdump", "kdump"]);
  await ensureCompiler(silent);
  await ensureFileSystemPrograms(silent);
}
