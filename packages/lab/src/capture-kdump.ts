import { readFile, truncate, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { SpillwayError } from "@spillway/core";
import { tryCommand } from "./command.ts";
import {
  BOOT_TIMEOUT_MS,
  bootGuest,
  crashingCommandLine,
  PANIC_TIMEOUT_MS,
  waitForPanic,
  writeCrashingInitramfs,
} from "./crashing-guest.ts";
import { requireProgram } from "./debian-packages.ts";
import { CRASH_KERNEL_PATHS, capturingInit, MARKS } from "./guest-scripts.ts";
import { buildInitramfs } from "./initramfs.ts";
import type { Codec } from "./lab-options.ts";
import type { CaptureOutcome, LabRun } from "./lab-run.ts";
import type { QemuMachine } from "./qemu-machine.ts";

const DISK_BYTES = 512 * 1024 * 1024;
const DUMP_TIMEOUT_MS = 180_000;

/**
 * An oops with a crash kernel loaded never gets as far as the word "panic"; and one in the double fault handler prints
 * nothing at all before the crash kernel takes over, as printk puts off what it is given there.
 */
const CRASH_BEGAN = new RegExp(`Kernel panic|BUG: |kernel BUG|Oops|protection fault|${MARKS.crashKernelUp}`);

const CODEC_FLAGS: Readonly<Record<Codec, string>> = { zlib: "-c", lzo: "-l", snappy: "-p" };

/** makedumpfile has the codecs that it was built with; its help says which ("LZO support:" and on the next line "enabled"). */
export function codecEnabled(help: string, codec: Codec): boolean {
  return codec === "zlib" || new RegExp(`${codec} support:\\s*enabled`, "i").test(help);
}

async function checkCodec(codec: Codec): Promise<void> {
  const { stdout, stderr } = await tryCommand(requireProgram("makedumpfile"), ["--help"]);
  if (codecEnabled(stdout + stderr, codec)) return;
  throw new SpillwayError("SPW_LAB_CODEC_UNAVAILABLE", `this makedumpfile cannot compress with ${codec}`, {
    class: "environment",
    facts: { codec },
    hint: "use --codec zlib or --codec lzo",
  });
}

/** The crash kernel's own initramfs: compressed, as its checksum is taken byte by byte under emulation. */
async function crashInitramfs(codec: Codec): Promise<Buffer> {
  const init = capturingInit([CODEC_FLAGS[codec], "-d", "31"]);
  const archive = await buildInitramfs({ init, programs: [requireProgram("makedumpfile")], files: new Map() });
  return gzipSync(archive, { level: 1 });
}

/**
 * The way of real machines: the crashed kernel starts a second one in memory set aside for it, and makedumpfile there
 * writes /proc/vmcore, without the pages that nobody asks for, to a disk.
 */
export async function captureWithKdump(run: LabRun): Promise<CaptureOutcome> {
  const codec = run.variant.codec ?? "zlib";
  await checkCodec(codec);
  const files = new Map<string, Uint8Array>([
    [CRASH_KERNEL_PATHS.image, await readFile(run.kernel.image)],
    [CRASH_KERNEL_PATHS.initramfs, await crashInitramfs(codec)],
  ]);
  const initramfs = await writeCrashingInitramfs(run, {
    crashKernelCommandLine: "console=ttyS0 nr_cpus=1 irqpoll reset_devices panic=-1 loglevel=4",
    programs: [requireProgram("kexec")],
    files,
  });
  // The guest's disk becomes the dump: cut to the size of what was written at its start.
  const disk = run.vmcore;
  await writeFile(disk, "");
  await truncate(disk, DISK_BYTES);

  run.progress(`booting ${run.kernel.release} and loading its crash kernel`);
  const { machine, startedAt } = await bootGuest(
    {
      kernel: run.kernel.image,
      initramfs,
      commandLine: crashingCommandLine("panic=-1 crashkernel=192M"),
      memoryMiB: 512,
      cpus: 2,
      la57: run.variant.la57,
      disk,
    },
    run.progress,
  );
  const elapsed = (): number => Math.round(performance.now() - startedAt);
  try {
    const bootedMs = elapsed();
    run.progress(`breaking it: ${run.scenario.name}`);
    await waitForPanic(machine, run, CRASH_BEGAN, PANIC_TIMEOUT_MS + BOOT_TIMEOUT_MS);
    const panickedMs = elapsed();
    run.progress("booting the crash kernel; makedumpfile");
    const size = await waitForDump(machine);
    await machine.ended;
    await truncate(disk, size);
    return { console: machine.console.text, bootedMs, panickedMs, capturedMs: elapsed() };
  } finally {
    await machine.stop();
  }
}

async function waitForDump(machine: QemuMachine): Promise<number> {
  const written = new RegExp(`${MARKS.dumpWritten}: (\\d+) bytes`);
  const failed = new RegExp(`${MARKS.failed}: (\\w+)`);
  const timeout = BOOT_TIMEOUT_MS + DUMP_TIMEOUT_MS;
  const match = await machine.console.waitFor("dump by the crash kernel", [written, failed], timeout);
  if (written.test(match[0])) return Number(match[1]);
  throw new SpillwayError("SPW_LAB_GUEST_FAILED", `in the crash kernel, ${match[1]} failed`, {
    class: "environment",
    facts: { step: match[1] ?? "", console: machine.console.tail() },
  });
}
