import { SpillwayError } from "@spillway/core";
import { runCliScript, type Said, saidIn } from "./cli-guest.ts";
import { runGuardScript } from "./guard-guest.ts";
import type { LabKernel } from "./kernel-cache.ts";
import type { Progress } from "./progress.ts";

/**
 * One write(2) through 32 devices, each of which passes it on to the next with 512 bytes in a buffer of its own, as stacked
 * file systems and block devices do.
 */
const OVERFLOW = "flow write /dev/cascade31 4000 3";

/** What is shown with the module, in order. */
const SESSION = [
  "spillway guard check",
  "spillway guard load --module /spillway.ko",
  OVERFLOW,
  "flow check /tmp/out 4000 3",
  "spillway guard status",
  "spillway guard unload --drain",
] as const;

/** A command of the session, what it printed, and its exit code. */
export interface DemoStep extends Said {
  readonly command: string;
}

/** A kernel that overflows, and the same one that survives it. */
export interface GuardDemo {
  readonly kernel: string;
  /** The command that overflows, and what the kernel said when it did, without the module. */
  readonly without: { readonly command: string; readonly panic: readonly string[] };
  readonly with: readonly DemoStep[];
}

/** The kernel's own words about the overflow: what was hit, and the panic. */
function lastWords(console: string): string[] {
  const lines = console.split("\n").map((line) => line.replace(/^\[ *\d+\.\d+\] /, ""));
  return lines.filter((line) => /stack guard page|^Kernel panic/.test(line));
}

/**
 * Boots a kernel twice: without the module a deep write brings it down, with the module it is survived.
 * @param bundle the bundled command line, which runs in the guest
 * @throws SpillwayError SPW_LAB_GUEST_FAILED where either does not happen
 */
export async function runGuardDemo(kernel: LabKernel, bundle: string, progress: Progress): Promise<GuardDemo> {
  progress(`booting ${kernel.release} without the module`);
  const stock = await runGuardScript(kernel, `echo /tmp/out > $C/target; ${OVERFLOW}`, { progress });
  if (stock.ended !== "panic") throw failed("the kernel survived without the module", stock.console);

  progress(`booting ${kernel.release} with the module`);
  const script = `echo /tmp/out > $C/target\n${SESSION.map((command, index) => `say ${index} ${command}`).join("\n")}`;
  const guarded = await runCliScript(kernel, bundle, script, { progress, commandLine: "loglevel=1" });
  const said = saidIn(guarded.console);
  if (guarded.ended !== "script" || said.size !== SESSION.length) {
    throw failed("the kernel did not survive with the module", guarded.console);
  }
  return {
    kernel: kernel.release,
    without: { command: OVERFLOW, panic: lastWords(stock.console) },
    with: SESSION.map((command, index) => ({ command, ...said.get(String(index))! })),
  };
}

function failed(message: string, console: string): SpillwayError {
  const last = console.trimEnd().split("\n").slice(-20);
  return new SpillwayError("SPW_LAB_GUEST_FAILED", message, { class: "environment", facts: { console: last } });
}
