import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { SpillwayError } from "@spillway/core";
import { exists, fillOnce } from "./cache.ts";
import { cacheFolder } from "./cache-folder.ts";
import { runCommand, tryCommand } from "./command.ts";
import { installPackages, updatePackageLists } from "./debian-packages.ts";
import { isCloudRelease, newestRelease, releasesOfPackages } from "./kernel-release.ts";
import type { KernelSeries } from "./lab-options.ts";
import type { Progress } from "./progress.ts";

/** A stock Debian kernel, unpacked but not installed, and the headers to build a module for it. */
export interface LabKernel {
  readonly series: KernelSeries;
  /** As `uname -r` says it. */
  readonly release: string;
  /** The compressed image that a boot loader would load. */
  readonly image: string;
  /** The folder that holds `kernel/drivers/…`. */
  readonly modules: string;
  /** The build folder for kbuild. */
  readonly headers: string;
}

const headersOf = (release: string): string => `/usr/src/linux-headers-${release}`;
const kernelsFolder = (): string => join(cacheFolder(), "kernels");

async function cachedReleases(series: KernelSeries): Promise<string[]> {
  const names = await readdir(kernelsFolder()).catch(() => []);
  return names.filter((name) => isCloudRelease(series, name));
}

async function offeredReleases(series: KernelSeries): Promise<string[]> {
  const { stdout } = await tryCommand("apt-cache", ["pkgnames", `linux-image-${series}.`]);
  return releasesOfPackages(series, stdout.split("\n"));
}

/**
 * A cached kernel whose headers are installed needs no network and wins; else the newest one that apt offers.
 * @throws SpillwayError SPW_LAB_KERNEL_UNKNOWN
 */
async function chooseRelease(series: KernelSeries, progress: Progress): Promise<string> {
  const complete: string[] = [];
  for (const release of await cachedReleases(series)) {
    if (await exists(headersOf(release))) complete.push(release);
  }
  let release = newestRelease(complete) ?? newestRelease(await offeredReleases(series));
  if (release === null) {
    await updatePackageLists(progress);
    release = newestRelease(await offeredReleases(series));
  }
  if (release !== null) return release;
  throw new SpillwayError("SPW_LAB_KERNEL_UNKNOWN", `apt offers no linux-image-${series}.*-cloud-amd64`, {
    class: "environment",
    facts: { series },
    hint: "run `sudo apt-get update` on a Debian 12 machine whose sources include bookworm, -security and -backports",
  });
}

async function unpackImage(release: string, folder: string, progress: Progress): Promise<void> {
  const name = `linux-image-${release}`;
  const download = join(folder, "download");
  await mkdir(download);
  progress(`downloading ${name}`);
  if ((await tryCommand("apt-get", ["download", "-q", name], { cwd: download })).status !== 0) {
    // Old lists point at packages that the mirror has replaced.
    await updatePackageLists(progress);
    await runCommand("apt-get", ["download", "-q", name], { cwd: download });
  }
  const archive = (await readdir(download)).find((file) => file.endsWith(".deb"));
  if (archive === undefined) {
    throw new SpillwayError("SPW_LAB_KERNEL_UNKNOWN", `apt-get download left no package for ${name}`, {
      class: "environment",
      facts: { package: name },
    });
  }
  progress(`unpacking ${name}`);
  await runCommand("dpkg-deb", ["-x", join(download, archive), folder]);
  await rm(download, { recursive: true });
}

/** Gets a kernel of the series into the cache, and its headers onto the machine. */
export async function ensureKernel(series: KernelSeries, progress: Progress): Promise<LabKernel> {
  let release = await chooseRelease(series, progress);
  const fetch = (): Promise<void> =>
    fillOnce(join(kernelsFolder(), release), (empty) => unpackImage(release, empty, progress));
  await fetch().catch(async (error: unknown) => {
    // With the fresh package lists that the failure led to, a newer release may have taken this one's place.
    const now = await chooseRelease(series, progress);
    if (now === release) throw error;
    release = now;
    await fetch();
  });
  const folder = join(kernelsFolder(), release);
  const headers = headersOf(release);
  if (!(await exists(headers))) await installPackages([`linux-headers-${release}`], progress);
  return {
    series,
    release,
    image: join(folder, "boot", `vmlinuz-${release}`),
    modules: join(folder, "lib", "modules", release),
    headers,
  };
}
