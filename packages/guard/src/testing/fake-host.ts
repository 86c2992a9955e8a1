import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { Host, type HostFacts } from "../host.ts";

/** A machine made of a few files, in a folder that goes when the test ends. */
export function fakeHost(files: Readonly<Record<string, string | Uint8Array>>, facts: Partial<HostFacts> = {}): Host {
  const root = mkdtempSync(join(tmpdir(), "spillway-host-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return new Host({ root, release: "6.1.0-57-amd64", machine: "x86_64", uid: 0, ...facts });
}

/** The state of a guard, file by file, as a guest had it. */
export const GUARD_FILES: Readonly<Record<string, string>> = {
  "/sys/kernel/spillway/total": "4\n",
  "/sys/kernel/spillway/free": "3\n",
  "/sys/kernel/spillway/in_use": "1\n",
  "/sys/kernel/spillway/high_water": "3\n",
  "/sys/kernel/spillway/threshold": "8192\n",
  "/sys/kernel/spillway/thread_size": "16384\n",
  "/sys/kernel/spillway/drain": "0\n",
  "/sys/kernel/spillway/switches": "24\n",
  "/sys/kernel/spillway/refusals": "2\n",
  "/sys/kernel/spillway/migrated": "1\n",
  "/sys/kernel/spillway/reaped": "0\n",
  "/sys/kernel/spillway/deepest": "8904\n",
  "/sys/kernel/spillway/occupancy": "1 8\n2 8\n3 8\n",
  "/sys/kernel/spillway/hold_ns": "1954 3\n3908 13\n250133 8\n",
  "/sys/kernel/spillway/points/vfs_write/calls": "1024\n",
  "/sys/kernel/spillway/points/vfs_write/switches": "0\n",
  "/sys/kernel/spillway/points/vfs_write/refusals": "0\n",
  "/sys/kernel/spillway/points/vfs_write/deepest": "1280\n",
  "/sys/kernel/spillway/points/vfs_write/mode": "ipmodify\n",
  "/sys/kernel/spillway/points/kernel_write/calls": "248\n",
  "/sys/kernel/spillway/points/kernel_write/switches": "24\n",
  "/sys/kernel/spillway/points/kernel_write/refusals": "2\n",
  "/sys/kernel/spillway/points/kernel_write/deepest": "8728\n",
  "/sys/kernel/spillway/points/kernel_write/mode": "direct\n",
  "/sys/module/spillway/version": "0.1.0\n",
};
