import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SpillwayError } from "@spillway/core";
import { type CrashingGuest, crashingInit, MARKS } from "./guest-scripts.ts";
import { buildInitramfs } from "./initramfs.ts";
import { readKernelModule } from "./kernel-modules.ts";
import type { LabRun } from "./lab-run.ts";
import type { Progress } from "./progress.ts";
import { type MachineOptions, QemuMachine } from "./qemu-machine.ts";
import { SCENARIO_MODULE } from "./scenario-module.ts";

/** Seconds are for a machine that has other things to do; an idle one needs a tenth of them. */
export const BOOT_TIMEOUT_MS = 60_000;
export const PANIC_TIMEOUT_MS = 60_000;

/** What the kernel says when it is over, in the order of how early it says so. */
const PANIC_END = /---\[ end Kernel panic/;
const SURVIVED = new RegExp(MARKS.survived);
const FAILED = new RegExp(`${MARKS.failed}: (.*?)\r*\n`);

/** A line for the kernel to panic on every oops; KASLR stays on. */
export function crashingCommandLine(extra: string): string {
  return `console=ttyS0 oops=panic loglevel=6 ${extra}`.trim();
}

/** Writes the initramfs of the kernel that is going to crash, and hands back its path. */
export async function writeCrashingInitramfs(
  run: LabRun,
  extras: {
    readonly crashKernelCommandLine: string | null;
    readonly programs: readonly string[];
    readonly files: ReadonlyMap<string, Uint8Array>;
  },
): Promise<string> {
  const files = new Map(extras.files);
  const modules: string[] = [];
  const add = (name: string, data: Uint8Array): void => {
    files.set(`modules/${name}.ko`, data);
    modules.push(`modules/${name}.ko`);
  };
  add("qemu_fw_cfg", await readKernelModule(run.kernel, "drivers/firmware/qemu_fw_cfg"));
  add(SCENARIO_MODULE, await readFile(run.module));
  const guest: CrashingGuest = {
    modules,
    setup: run.scenario.setup ?? [],
    trigger: run.scenario.trigger,
    crashKernelCommandLine: extras.crashKernelCommandLine,
  };
  const path = join(run.scratch, "initramfs");
  await writeFile(path, await buildInitramfs({ init: crashingInit(guest), programs: extras.programs, files }));
  return path;
}

/** Boots that may hang, which is the emulator's doing and not the scenario's, before the lab gives up. */
const BOOT_ATTEMPTS = 2;

/**
 * Starts a machine and waits until its guest is about to break its stack.
 * @param prepare what is to be asked of the machine while it boots
 * @throws SpillwayError SPW_LAB_TIMEOUT when it does not boot, more than once
 */
export async function bootGuest(
  options: MachineOptions,
  progress: Progress,
  prepare: (machine: QemuMachine) => Promise<void> = async () => {},
): Promise<{ readonly machine: QemuMachine; readonly startedAt: number }> {
  for (let attempt = 1; ; attempt++) {
    const startedAt = performance.now();
    const machine = QemuMachine.start(options);
    try {
      await prepare(machine);
      await waitForBoot(machine);
      return { machine, startedAt };
    } catch (error) {
      await machine.stop();
      const hung = error instanceof SpillwayError && error.code === "SPW_LAB_TIMEOUT";
      if (!hung || attempt === BOOT_ATTEMPTS) throw error;
      progress(`the guest hung while it booted, after "${machine.console.tail(1).join("")}"; once more`);
    }
  }
}

/** Waits until the guest is about to break its stack. */
async function waitForBoot(machine: QemuMachine): Promise<void> {
  const match = await machine.console.waitFor("booted guest", [new RegExp(MARKS.ready), FAILED], BOOT_TIMEOUT_MS);
  if (match[1] === undefined) return;
  throw new SpillwayError("SPW_LAB_GUEST_FAILED", `the guest could not prepare its crash: ${match[1]}`, {
    class: "environment",
    facts: { step: match[1], console: machine.console.tail() },
  });
}

/**
 * Waits until the crash is complete.
 * @param sign what ends it: the end of the panic message, unless a crash kernel takes over before that
 * @throws SpillwayError SPW_LAB_NO_PANIC when the kernel survives
 */
export async function waitForPanic(
  machine: QemuMachine,
  run: LabRun,
  sign: RegExp = PANIC_END,
  timeoutMs = PANIC_TIMEOUT_MS,
): Promise<void> {
  const match = await machine.console.waitFor("kernel panic", [sign, SURVIVED], timeoutMs);
  if (!SURVIVED.test(match[0])) return;
  throw new SpillwayError("SPW_LAB_NO_PANIC", `${run.kernel.release} survived the scenario ${run.scenario.name}`, {
    class: "environment",
    facts: { scenario: run.scenario.name, release: run.kernel.release, console: machine.console.tail() },
    hint: "the compiler may lay out the scenario's frames in another way than the one it was written for",
  });
}
