/** Lines that the guest's scripts print and the lab waits for. */
export const MARKS = {
  ready: "SPILLWAY-LAB ready",
  crashKernelLoaded: "SPILLWAY-LAB crash kernel loaded",
  survived: "SPILLWAY-LAB survived",
  crashKernelUp: "SPILLWAY-LAB crash kernel up",
  dumpWritten: "SPILLWAY-LAB dump written",
  failed: "SPILLWAY-LAB failed",
} as const;

/** Where the crash kernel's parts are in the first kernel's initramfs. */
export const CRASH_KERNEL_PATHS = { image: "crash/vmlinuz", initramfs: "crash/initramfs" } as const;

/** The disk that takes the dump out of the guest. The NVMe driver is built into Debian's cloud kernels. */
export const DUMP_DISK = "/dev/nvme0n1";

const COMMON = `#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
`;

export interface CrashingGuest {
  /** Modules to load, by their path in the guest. */
  readonly modules: readonly string[];
  /** Shell lines to run first. */
  readonly setup: readonly string[];
  /** The line that brings the kernel down. */
  readonly trigger: string;
  /** Load a crash kernel, with this command line, first. */
  readonly crashKernelCommandLine: string | null;
}

/** First process of the kernel that is going to crash. */
export function crashingInit(guest: CrashingGuest): string {
  const lines = guest.modules.map((path) => `insmod /${path} || echo "${MARKS.failed}: insmod ${path}"`);
  if (guest.crashKernelCommandLine !== null) {
    const { image, initramfs } = CRASH_KERNEL_PATHS;
    lines.push(
      `if kexec -p /${image} --initrd=/${initramfs} --append="${guest.crashKernelCommandLine}"`,
      `then echo "${MARKS.crashKernelLoaded}"; else echo "${MARKS.failed}: kexec -p"; fi`,
      "rm -rf /crash",
    );
  }
  lines.push(
    ...guest.setup,
    // Some life: a sleeper, and a process that waits for a pipe.
    "sleep 100000 &",
    "sleep 100000 | cat &",
    `echo "${MARKS.ready}: $(uname -r)"`,
    `sh -c '${guest.trigger}' &`,
    "wait $!",
    "sleep 2",
    `echo "${MARKS.survived}"`,
    "poweroff -f",
  );
  return `${COMMON}${lines.join("\n")}\n`;
}

/** First process of the crash kernel: one dump from /proc/vmcore to the disk, then off. */
export function capturingInit(makedumpfileArgs: readonly string[]): string {
  return `${COMMON}echo "${MARKS.crashKernelUp}"
if makedumpfile ${makedumpfileArgs.join(" ")} /proc/vmcore /tmp/vmcore >/tmp/output 2>&1
then
  size=$(wc -c </tmp/vmcore)
  dd if=/tmp/vmcore of=${DUMP_DISK} bs=1M conv=fsync 2>/dev/null && echo "${MARKS.dumpWritten}: $size bytes"
else
  tr '\\r' '\\n' </tmp/output | tail -n 5
  echo "${MARKS.failed}: makedumpfile"
fi
poweroff -f
`;
}
