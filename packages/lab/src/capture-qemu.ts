import { chmod } from "node:fs/promises";
import { SpillwayError } from "@spillway/core";
import { bootGuest, crashingCommandLine, waitForPanic, writeCrashingInitramfs } from "./crashing-guest.ts";
import type { CaptureOutcome, LabRun } from "./lab-run.ts";
import type { QemuMachine } from "./qemu-machine.ts";

interface DumpCapability {
  readonly formats: readonly string[];
}

/** QEMU knows the codecs that it was built with. */
async function checkFormat(machine: QemuMachine, format: string): Promise<void> {
  const { formats } = (await machine.control.execute("query-dump-guest-memory-capability")) as DumpCapability;
  if (formats.includes(format)) return;
  throw new SpillwayError("SPW_LAB_CODEC_UNAVAILABLE", `this QEMU cannot write ${format}`, {
    class: "environment",
    facts: { format, known: formats },
    hint: "use --codec zlib, or --capture kdump, which compresses with makedumpfile",
  });
}

/** Crashes a guest and lets QEMU write its memory: an ELF core, or a (flattened) kdump-compressed file. */
export async function captureWithQemu(run: LabRun): Promise<CaptureOutcome> {
  const { codec, la57 } = run.variant;
  const nothing = { crashKernelCommandLine: null, programs: [], files: new Map<string, Uint8Array>() };
  const initramfs = await writeCrashingInitramfs(run, nothing);
  run.progress(`booting ${run.kernel.release}`);
  const { machine, startedAt } = await bootGuest(
    {
      kernel: run.kernel.image,
      initramfs,
      commandLine: crashingCommandLine("panic=0"),
      memoryMiB: 256,
      cpus: 2,
      la57,
      disk: null,
    },
    run.progress,
    async (booting) => {
      await booting.control.negotiate().catch(() => {
        // QEMU did not start: the wait for the console tells why.
      });
      if (codec !== null) await checkFormat(booting, `kdump-${codec}`);
    },
  );
  const elapsed = (): number => Math.round(performance.now() - startedAt);
  try {
    const bootedMs = elapsed();
    run.progress(`breaking it: ${run.scenario.name}`);
    await waitForPanic(machine, run);
    const panickedMs = elapsed();
    run.progress("writing its memory");
    await machine.control.execute("stop");
    const format = codec === null ? {} : { format: `kdump-${codec}` };
    await machine.control.execute("dump-guest-memory", { paging: false, protocol: `file:${run.vmcore}`, ...format });
    // QEMU leaves the file readable for its owner only, and not writable.
    await chmod(run.vmcore, 0o644);
    return { console: machine.console.text, bootedMs, panickedMs, capturedMs: elapsed() };
  } finally {
    await machine.stop();
  }
}
