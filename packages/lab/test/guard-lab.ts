/** What the tests of spillway.ko share: each boots a stock kernel, and reads what its console says. */
import { availableParallelism } from "node:os";
import { beforeAll, describe } from "vitest";
import { ensureLab, type LabTarget } from "../src/ensure-lab.ts";
import { type GuardGuest, runGuardScript } from "../src/guard-guest.ts";
import { KERNEL_SERIES, type KernelSeries } from "../src/lab-options.ts";
import type { ScriptResult } from "../src/script-guest.ts";

/** Generous: a busy machine makes guests many times slower, and no test is about time. */
export const GUEST_TIMEOUT_MS = 600_000;
export const TEST_TIMEOUT_MS = 900_000;

export interface GuardResult extends ScriptResult {
  /** What the script said, without the kernel's own lines, which come in between on the console. */
  readonly said: string;
}

export type RunGuest = (script: string, options?: GuardGuest) => Promise<GuardResult>;

let running = 0;
const waiting: (() => void)[] = [];

/** What a console has besides the kernel's own lines. */
export function saidOn(console: string): string {
  return console
    .split("\n")
    .filter((line) => !/^\[ *\d+\.\d+\]/.test(line))
    .join("\n");
}

/** A guest is one thread of the host: as many at a time as it has CPUs. */
async function withCpu<T>(run: () => Promise<T>): Promise<T> {
  while (running >= availableParallelism()) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    return await run();
  } finally {
    running--;
    waiting.shift()?.();
  }
}

/** Defines the tests of a subject for every kernel of the lab; they run beside one another. */
export function onEveryKernel(define: (guest: RunGuest, series: KernelSeries) => void): void {
  let targets: ReadonlyMap<KernelSeries, LabTarget>;
  beforeAll(async () => {
    targets = await ensureLab(KERNEL_SERIES, ["qemu-elf"]);
  });
  for (const series of KERNEL_SERIES) {
    describe.concurrent(`on ${series}`, { timeout: TEST_TIMEOUT_MS }, () => {
      define(async (script, options = {}) => {
        const kernel = targets.get(series)!.kernel;
        const result = await withCpu(() => runGuardScript(kernel, script, { timeoutMs: GUEST_TIMEOUT_MS, ...options }));
        return { ...result, said: saidOn(result.console) };
      }, series);
    });
  }
}
