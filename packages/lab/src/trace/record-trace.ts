import { mkdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SpillwayError } from "@spillway/core";
import { runCommand } from "../command.ts";
import { ensureCompiler, installPackages, requireProgram } from "../debian-packages.ts";
import type { LabKernel } from "../kernel-cache.ts";
import { ensureProgram, findSources } from "../kernel-module-build.ts";
import { type Progress, silent } from "../progress.ts";
import { runScript, type ScriptResult } from "../script-guest.ts";
import { stockModules } from "./module-set.ts";
import { type TraceScript, traceScript, WATCHES, type Watch } from "./trace-script.ts";

/** Programs of this machine that the workload runs, and the Debian packages they come from. */
const PROGRAMS = [
  { program: "mkfs.ext4", package: "e2fsprogs" },
  { program: "mkfs.xfs", package: "xfsprogs" },
  { program: "dmsetup", package: "dmsetup" },
  { program: "nft", package: "nftables" },
];

/** Of the kernel's modules, those that the workload uses; what they need comes with them. */
export const WORKLOAD_MODULES: readonly string[] = (
  "libcrc32c crc32c_generic xfs overlay loop dm-mod dm-crypt ecb cbc essiv xts aes_generic lzo-rle lzo lz4 lz4_compress zstd zram " +
  "veth bridge nf_tables nf_conntrack nft_ct nft_limit nft_log nf_log_syslog nft_reject_inet nft_nat nft_chain_nat nft_masq tun fuse"
).split(" ");

/** Loaded in the middle of the workload. */
export const PROBE = "dummy";

const RULES = `table inet t {
  chain input { type filter hook input priority 0; ct state established,related counter accept; tcp dport 9 reject; limit rate 1/second counter; }
  chain output { type filter hook output priority 0; ct state new counter accept; }
}
table ip n {
  chain pre { type nat hook prerouting priority -100; tcp dport 7 redirect to :8; }
  chain post { type nat hook postrouting priority 100; ip daddr 10.9.9.9 masquerade; }
}
`;

export interface TraceRequest {
  readonly kernel: LabKernel;
  /** An empty folder for what was seen; bench/README.md has its files. */
  readonly folder: string;
  readonly watches?: readonly Watch[];
  /** Shell lines instead of the whole workload; `workload.sh` has the parts. */
  readonly work?: string;
  /** Dumps of the guest, see TraceScript; none where left out. */
  readonly dumps?: TraceScript["dumps"];
  /** More programs of this machine for `work`. */
  readonly programs?: readonly string[];
  readonly memoryMiB?: number;
  readonly timeoutMs?: number;
  readonly progress?: Progress;
}

/**
 * Runs a workload on a stock kernel while ftrace watches, and writes what it saw to a folder. The kernel runs where it was
 * linked (nokaslr), so that the addresses are those of its vmlinux.
 * @throws SpillwayError SPW_LAB_TIMEOUT, SPW_LAB_GUEST_PANICKED, SPW_LAB_PACKAGES_MISSING
 */
export async function recordTrace(request: TraceRequest): Promise<ScriptResult> {
  const progress = request.progress ?? silent;
  await ensureCompiler(progress);
  const missing = PROGRAMS.filter(({ program }) => {
    try {
      return requireProgram(program) === "";
    } catch {
      return true;
    }
  });
  await installPackages(
    missing.map((needed) => needed.package),
    progress,
  );
  const sources = await findSources(["../../trace", "../../lab/trace"]);
  const programs = [
    await ensureProgram("observe", join(sources, "observe.c"), progress),
    await ensureProgram("exercise", join(sources, "exercise.c"), progress),
    await ensureProgram("rarer", join(sources, "rarer.c"), progress),
    ...PROGRAMS.map(({ program }) => requireProgram(program)),
    ...(request.programs ?? []),
  ];
  const modules = await stockModules(request.kernel, WORKLOAD_MODULES);
  const [probe] = (await stockModules(request.kernel, [PROBE])).slice(-1);
  const files = new Map<string, Uint8Array>([
    ["workload.sh", await readFile(join(sources, "workload.sh"))],
    ["rules.nft", Buffer.from(RULES)],
    ["modules/order", Buffer.from(modules.map(({ name }) => `${name}.ko\n`).join(""))],
    ...modules.map(({ name, content }): [string, Uint8Array] => [`modules/${name}.ko`, content]),
    ...(probe === undefined ? [] : [["modules/probe.ko", probe.content] as [string, Uint8Array]]),
  ]);
  await mkdir(request.folder, { recursive: true });
  const resultsDisk = join(request.folder, "results.tar");
  await writeFile(resultsDisk, "");
  await truncate(resultsDisk, 256 * 1024 * 1024);
  const result = await runScript({
    kernel: request.kernel,
    script: traceScript({
      watches: request.watches ?? WATCHES,
      work: request.work ?? "workload $disk $mib",
      dumps: request.dumps ?? "none",
    }),
    files,
    programs,
    commandLine: "nokaslr nosoftlockup",
    memoryMiB: request.memoryMiB ?? 384,
    diskMiB: 1024,
    resultsDisk,
    dumps: request.folder,
    timeoutMs: request.timeoutMs ?? 600_000,
  });
  await writeFile(join(request.folder, "console.log"), result.console);
  if (result.ended === "panic") {
    throw new SpillwayError("SPW_LAB_GUEST_ENDED", "the watched kernel panicked", {
      class: "environment",
      facts: { console: result.console.split("\n").slice(-25) },
      hint: `see ${join(request.folder, "console.log")}`,
    });
  }
  await runCommand("tar", ["-xf", resultsDisk, "-C", request.folder]);
  await rm(resultsDisk);
  return result;
}
