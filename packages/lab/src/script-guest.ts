import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MARKS } from "./guest-scripts.ts";
import { buildInitramfs } from "./initramfs.ts";
import type { LabKernel } from "./kernel-cache.ts";
import { QemuMachine } from "./qemu-machine.ts";

/** What a script guest needs besides busybox. */
export interface ScriptGuest {
  readonly kernel: LabKernel;
  /** Shell lines, run as the guest's first process; what they print comes back. */
  readonly script: string;
  /** Files by their path in the guest, without the leading slash. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Full paths of programs of this machine. */
  readonly programs?: readonly string[];
  /** More for the kernel's command line. */
  readonly commandLine?: string;
  readonly memoryMiB?: number;
  readonly cpus?: number;
  /** Two NUMA nodes. */
  readonly numa?: boolean;
  /** Size of an empty NVMe disk (/dev/nvme0n1); left out: none. */
  readonly diskMiB?: number;
  readonly timeoutMs?: number;
  /** Where QEMU writes an ELF core when the guest panics. */
  readonly vmcore?: string;
  /** Where QEMU writes `NAME.vmcore` when the script says `DUMP_MARK NAME`; the guest stands still meanwhile. */
  readonly dumps?: string;
  /** A file of this machine that is the guest's NVMe disk with the serial number "results". */
  readonly resultsDisk?: string;
  /** Let the guest's clocks advance by a nanosecond an instruction: what it times is what it executes. */
  readonly countInstructions?: boolean;
}

/** The script prints it, with a name after it, to have its memory written to a file while it goes on. */
export const DUMP_MARK = "SPILLWAY-LAB dump";

export interface ScriptResult {
  /** All that came over the console, line ends made plain. */
  readonly console: string;
  /** The script ran to its end; else the guest panicked or the time was over. */
  readonly ended: "script" | "panic";
}

const END = "SPILLWAY-LAB script ended";

/**
 * Boots a kernel and runs a shell script in it.
 * @throws SpillwayError SPW_LAB_TIMEOUT with the end of the console where neither the script nor the kernel ends in time
 */
export async function runScript(guest: ScriptGuest): Promise<ScriptResult> {
  const scratch = await mkdtemp(join(tmpdir(), "spillway-script-"));
  try {
    const initramfs = join(scratch, "initramfs");
    const init = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
echo "${MARKS.ready}: $(uname -r)"
. /script
sync
# Said again and again: a line of the kernel's may come in the middle of it. Not switched off here, since what the console has
# not sent by then would be lost; the lab does it.
while true; do echo "${END}"; sleep 1; done
`;
    const files = new Map([...guest.files, ["script", Buffer.from(guest.script)]]);
    await writeFile(initramfs, await buildInitramfs({ init, programs: guest.programs ?? [], files }));
    const disk = guest.diskMiB === undefined ? null : join(scratch, "disk");
    if (disk !== null) {
      await writeFile(disk, "");
      await truncate(disk, (guest.diskMiB ?? 0) * 1024 * 1024);
    }
    const machine = QemuMachine.start({
      kernel: guest.kernel.image,
      initramfs,
      commandLine: `console=ttyS0 loglevel=7 panic=0 ${guest.commandLine ?? ""}`.trim(),
      memoryMiB: guest.memoryMiB ?? 512,
      cpus: guest.cpus ?? 2,
      numa: guest.numa ?? false,
      la57: false,
      disk,
      resultsDisk: guest.resultsDisk,
      countInstructions: guest.countInstructions ?? false,
    });
    const dump = async (path: string): Promise<void> => {
      await machine.control.execute("stop");
      await machine.control.execute("dump-guest-memory", { paging: false, protocol: `file:${path}` });
    };
    try {
      await machine.control.negotiate().catch(() => {
        // QEMU did not start: the wait for the console tells why.
      });
      const patterns = [new RegExp(END), /---\[ end Kernel panic/, new RegExp(`${DUMP_MARK} ([\\w-]+)\\s`)];
      const deadline = Date.now() + (guest.timeoutMs ?? 120_000);
      const next = () => machine.console.waitFor("end of the script", patterns, Math.max(deadline - Date.now(), 1));
      let match = await next();
      for (; match[1] !== undefined; match = await next()) {
        if (guest.dumps === undefined) continue;
        await dump(join(guest.dumps, `${match[1]}.vmcore`));
        await machine.control.execute("cont");
      }
      const ended = match[0] === END ? "script" : "panic";
      if (ended === "panic" && guest.vmcore !== undefined) await dump(guest.vmcore);
      return { console: machine.console.text.replaceAll(/\r+\n/g, "\n"), ended };
    } finally {
      await machine.stop();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
