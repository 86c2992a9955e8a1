import type { LabKernel } from "./kernel-cache.ts";
import type { LabVariant } from "./lab-options.ts";
import type { Progress } from "./progress.ts";
import type { Scenario } from "./scenario.ts";

/** All that a way of capturing needs to know about one run. */
export interface LabRun {
  readonly scenario: Scenario;
  readonly variant: LabVariant;
  readonly kernel: LabKernel;
  /** The built scenario module. */
  readonly module: string;
  /** A private folder that is removed afterwards. */
  readonly scratch: string;
  /** Where the dump has to end up. */
  readonly vmcore: string;
  readonly progress: Progress;
}

/** What a capture hands back. */
export interface CaptureOutcome {
  readonly console: string;
  /** Milliseconds from the start of QEMU. */
  readonly bootedMs: number;
  readonly panickedMs: number;
  readonly capturedMs: number;
}
