import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { captureWithKdump } from "./capture-kdump.ts";
import { captureWithQemu } from "./capture-qemu.ts";
import { undoAtExit } from "./cleanup.ts";
import { ensureLab, type LabTarget } from "./ensure-lab.ts";
import type { KernelSeries, LabVariant } from "./lab-options.ts";
import type { CaptureOutcome, LabRun } from "./lab-run.ts";
import { type Progress, silent } from "./progress.ts";
import type { Scenario } from "./scenario.ts";
import { scenarioNamed } from "./scenarios.ts";

export interface RunOptions {
  readonly scenario: string;
  readonly variant: LabVariant;
  /** Folder for `vmcore`, `console.log` and `result.json`; made when it is not there. */
  readonly folder: string;
  /** What `ensureLab` handed back, for callers that run many; looked after here when left out. */
  readonly targets?: ReadonlyMap<KernelSeries, LabTarget>;
}

/** What `result.json` holds. */
export interface LabResult {
  readonly schema: "spillway/lab-result@1";
  readonly scenario: string;
  readonly description: string;
  readonly kernel: { readonly series: string; readonly release: string };
  readonly capture: string;
  readonly codec: string | null;
  readonly la57: boolean;
  readonly expected: Scenario["expected"];
  readonly vmcore: { readonly path: string; readonly bytes: number };
  /** Milliseconds; all but the last from the start of QEMU. */
  readonly timings: {
    readonly bootedMs: number;
    readonly panickedMs: number;
    readonly capturedMs: number;
    readonly totalMs: number;
  };
}

/** A folder for one run that goes away with it, even when the run is interrupted. */
async function withScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "spillway-lab-"));
  const remove = undoAtExit(() => rmSync(folder, { recursive: true, force: true }));
  try {
    return await work(folder);
  } finally {
    remove();
  }
}

function capture(run: LabRun): Promise<CaptureOutcome> {
  return run.variant.capture === "kdump" ? captureWithKdump(run) : captureWithQemu(run);
}

/**
 * Boots a kernel, breaks it in one way, and leaves its dump, its console and the ground truth in a folder.
 * @throws SpillwayError SPW_LAB_… with the end of the console where the guest did not do what it should
 */
export async function runScenario(options: RunOptions, progress: Progress = silent): Promise<LabResult> {
  const started = performance.now();
  const { variant } = options;
  const scenario = scenarioNamed(options.scenario);
  const target =
    options.targets?.get(variant.kernel) ??
    (await ensureLab([variant.kernel], [variant.capture], progress)).get(variant.kernel)!;
  const folder = resolve(options.folder);
  await mkdir(folder, { recursive: true });

  const vmcore = join(folder, "vmcore");
  // A dump that is there must be a whole one: written under another name, and renamed at the end.
  const draft = join(folder, "vmcore.incomplete");
  const dropDraft = undoAtExit(() => rmSync(draft, { force: true }));
  try {
    await rm(draft, { force: true });
    const outcome = await withScratch((scratch) =>
      capture({ scenario, variant, ...target, scratch, vmcore: draft, progress }),
    );
    await rm(vmcore, { force: true });
    await rename(draft, vmcore);
    await writeFile(join(folder, "console.log"), outcome.console.replaceAll(/\r+\n/g, "\n"));
    const result: LabResult = {
      schema: "spillway/lab-result@1",
      scenario: scenario.name,
      description: scenario.description,
      kernel: { series: variant.kernel, release: target.kernel.release },
      capture: variant.capture,
      codec: variant.codec,
      la57: variant.la57,
      expected: scenario.expected,
      vmcore: { path: vmcore, bytes: (await stat(vmcore)).size },
      timings: {
        bootedMs: outcome.bootedMs,
        panickedMs: outcome.panickedMs,
        capturedMs: outcome.capturedMs,
        totalMs: Math.round(performance.now() - started),
      },
    };
    await writeFile(join(folder, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
    return result;
  } finally {
    dropDraft();
  }
}
