import type { LabKernel } from "./kernel-cache.ts";
import { ensureModule, findSources } from "./kernel-module-build.ts";
import type { Progress } from "./progress.ts";

/** Name of the scenario module, as `lsmod` shows it. */
export const SCENARIO_MODULE = "vandal";

/**
 * Builds the scenario module for a kernel, unless the cache has it already.
 * @returns the path of `vandal.ko`
 * @throws SpillwayError SPW_LAB_MODULE_BUILD with the compiler's messages
 */
export async function ensureScenarioModule(kernel: LabKernel, progress: Progress): Promise<string> {
  return ensureModule(kernel, SCENARIO_MODULE, findSources(["../module", "../../lab/module"]), progress);
}
