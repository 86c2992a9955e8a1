import { existsSync } from "node:fs";
import { SpillwayError } from "@spillway/core";
import type { Host } from "./host.ts";

/** What a release may look like; it becomes part of a path. */
const RELEASE = /^[\w.+~-]+$/;

/** The build folder of a kernel, that is headers with their Makefile; null where it is not installed. */
export function buildFolder(host: Host, release: string): string | null {
  if (!RELEASE.test(release)) return null;
  const places = [`/lib/modules/${release}/build`, `/usr/src/linux-headers-${release}`, `/usr/src/kernels/${release}`];
  const found = places.map((place) => host.path(place)).find((place) => existsSync(`${place}/Makefile`));
  return found ?? null;
}

/** @throws SpillwayError SPW_GUARD_NO_HEADERS */
export function requireBuildFolder(host: Host, release: string): string {
  const folder = buildFolder(host, release);
  if (folder !== null) return folder;
  throw new SpillwayError("SPW_GUARD_NO_HEADERS", `the headers of kernel ${release} are not installed`, {
    class: "environment",
    facts: { release },
    hint: `sudo apt-get install linux-headers-${release} (Fedora, RHEL: kernel-devel-${release})`,
  });
}
