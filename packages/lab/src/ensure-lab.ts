import { ensurePrograms } from "./debian-packages.ts";
import { ensureKernel, type LabKernel } from "./kernel-cache.ts";
import type { Capture, KernelSeries } from "./lab-options.ts";
import { type Progress, silent } from "./progress.ts";
import { ensureScenarioModule } from "./scenario-module.ts";

/** A kernel with the scenario module built for it. */
export interface LabTarget {
  readonly kernel: LabKernel;
  readonly module: string;
}

/**
 * Gets everything that runs need: programs (installed by apt where root runs this), the Debian kernels (downloaded and
 * unpacked into the cache), their headers, and the scenario module. Quick when all is there.
 * @throws SpillwayError SPW_LAB_PACKAGES_MISSING with what to install, where it may not install it itself
 */
export async function ensureLab(
  kernels: readonly KernelSeries[],
  captures: readonly Capture[],
  progress: Progress = silent,
): Promise<ReadonlyMap<KernelSeries, LabTarget>> {
  await ensurePrograms(captures.includes("kdump"), progress);
  const targets = new Map<KernelSeries, LabTarget>();
  for (const series of new Set(kernels)) {
    const kernel = await ensureKernel(series, progress);
    targets.set(series, { kernel, module: await ensureScenarioModule(kernel, progress) });
  }
  return targets;
}
