/** The lab: real Debian kernels, really broken, under QEMU. */
export { ensureSpin } from "./debian-packages.ts";
export { ensureLab, type LabTarget } from "./ensure-lab.ts";
export { type DemoStep, type GuardDemo, runGuardDemo } from "./guard-demo.ts";
export type { LabKernel } from "./kernel-cache.ts";
export {
  CAPTURES,
  type Capture,
  CODECS,
  type Codec,
  KERNEL_SERIES,
  type KernelSeries,
  type LabVariant,
  resolveVariant,
  runName,
  type VariantRequest,
  variantMatrix,
} from "./lab-options.ts";
export { type Progress, silent } from "./progress.ts";
export { type LabResult, type RunOptions, runScenario } from "./run-scenario.ts";
export type { GroundTruth, Scenario } from "./scenario.ts";
export { scenarioNamed, scenarios } from "./scenarios.ts";
