import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import { SpillwayError } from "@spillway/core";
import { undoAtExit } from "./cleanup.ts";
import { ConsoleWatcher } from "./console-watcher.ts";
import { requireProgram } from "./debian-packages.ts";
import { QmpClient } from "./qmp-client.ts";

/** What to boot. */
export interface MachineOptions {
  readonly kernel: string;
  readonly initramfs: string;
  readonly commandLine: string;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** Two NUMA nodes, each with half of the memory and of the CPUs. */
  readonly numa?: boolean;
  readonly la57: boolean;
  /** A raw disk image, seen by the guest as an NVMe disk. */
  readonly disk: string | null;
  /** A second one, with the serial number "results", for what the guest has to say at length. */
  readonly resultsDisk?: string | undefined;
  /** Let the guest's clocks advance by a nanosecond an instruction: what it times is what it executes. */
  readonly countInstructions?: boolean;
}

/** File descriptor of QEMU's end of the control connection: a socket pair, so nothing listens anywhere. */
const QMP_FD = 3;

function qemuArguments(options: MachineOptions): string[] {
  // One host thread for all CPUs: while it boots, a kernel patches its own text (alternatives, static keys), and with a
  // thread for each CPU one boot in some hundreds hangs there. It costs about a fifth of a run's time.
  const args = ["-accel", "tcg,thread=single", "-cpu", options.la57 ? "max" : "max,la57=off"];
  if (options.countInstructions) args.push("-icount", "shift=0,sleep=off");
  args.push("-m", String(options.memoryMiB), "-smp", String(options.cpus));
  if (options.numa === true) {
    for (const node of [0, 1]) {
      args.push("-object", `memory-backend-ram,id=m${node},size=${options.memoryMiB / 2}M`);
      const cpus = `${(node * options.cpus) / 2}-${((node + 1) * options.cpus) / 2 - 1}`;
      args.push("-numa", `node,nodeid=${node},memdev=m${node},cpus=${cpus}`);
    }
  }
  args.push("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot");
  args.push("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console");
  args.push("-chardev", `socket,id=control,fd=${QMP_FD}`, "-mon", "chardev=control,mode=control");
  // With the guest's qemu_fw_cfg module this puts VMCOREINFO into dumps that QEMU writes.
  args.push("-device", "vmcoreinfo");
  const disks = [
    { path: options.disk, id: "disk", serial: "spillway" },
    { path: options.resultsDisk ?? null, id: "results", serial: "results" },
  ];
  for (const { path, id, serial } of disks) {
    if (path === null) continue;
    args.push("-drive", `file=${path.replaceAll(",", ",,")},format=raw,if=none,id=${id},cache=unsafe`);
    args.push("-device", `nvme,drive=${id},serial=${serial}`);
  }
  args.push("-kernel", options.kernel, "-initrd", options.initramfs, "-append", options.commandLine);
  return args;
}

/** What is known of a QEMU that ended. */
export interface QemuEnd {
  readonly code?: number | null;
  readonly signal?: string | null;
  /** Why it could not be started. */
  readonly failure?: string;
  /** The last line that it complained with; empty: none. */
  readonly complaint?: string;
  /** What its SHUTDOWN event gave as the reason; null: none came. */
  readonly shutdown?: string | null;
}

/** How a QEMU ended, in words for an error. */
export function describeEnd(end: QemuEnd): string {
  const { code = null, signal = null, failure, complaint = "", shutdown = null } = end;
  const why = complaint === "" ? "" : `: ${complaint}`;
  if (failure !== undefined) return `QEMU did not start (${failure})`;
  if (signal !== null) return `QEMU was killed (${signal}${why})`;
  if (code !== 0 && code !== null) return `QEMU stopped (exit code ${code}${why})`;
  // With -no-reboot that is where a triple fault ends too: the kernel then says nothing.
  if (shutdown === "guest-reset") return `the guest reset itself or hit a triple fault${why}`;
  if (shutdown === "guest-shutdown") return `the guest switched itself off${why}`;
  return `the virtual machine stopped (${shutdown ?? "no reason given"}${why})`;
}

/** A running QEMU. It ends when `stop` is called, when this process ends, or by itself. */
export class QemuMachine {
  readonly console: ConsoleWatcher;
  readonly control: QmpClient;
  /** Settles once QEMU has ended. */
  readonly ended: Promise<void>;
  readonly #stop: () => void;

  private constructor(child: ChildProcess) {
    const complaints: string[] = [];
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => complaints.push(chunk));
    this.console = new ConsoleWatcher(child.stdout as Readable);
    this.control = new QmpClient(child.stdio[QMP_FD] as Duplex);
    this.ended = new Promise((resolve) => {
      const end = (how: QemuEnd): void => {
        const complaint = complaints.join("").trim().split("\n").at(-1) ?? "";
        this.console.close(describeEnd({ ...how, complaint, shutdown: this.control.shutdown }));
        this.#stop();
        resolve();
      };
      child.on("error", (error) => end({ failure: error.message }));
      // Once all of its output was read, the control connection's too.
      child.on("close", (code, signal) => end({ code, signal }));
    });
    this.#stop = undoAtExit(() => child.kill("SIGKILL"));
  }

  /** @throws SpillwayError SPW_LAB_QEMU_MISSING */
  static start(options: MachineOptions): QemuMachine {
    let program: string;
    try {
      program = requireProgram("qemu-system-x86_64");
    } catch (cause) {
      throw new SpillwayError("SPW_LAB_QEMU_MISSING", "QEMU is not installed", {
        class: "environment",
        hint: "install it: sudo apt-get install qemu-system-x86",
        cause,
      });
    }
    // Should this process be killed the hard way, the kernel kills QEMU.
    const args = ["--pdeathsig", "KILL", program, ...qemuArguments(options)];
    return new QemuMachine(spawn(requireProgram("setpriv"), args, { stdio: ["ignore", "pipe", "pipe", "pipe"] }));
  }

  /** Ends QEMU at once and waits until it is gone. */
  async stop(): Promise<void> {
    this.#stop();
    await this.ended;
  }
}
