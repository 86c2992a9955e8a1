import type { KernelSeries } from "./lab-options.ts";

/** Compares the numbers in two releases ("6.1.0-9-…" before "6.1.0-56-…"). */
export function compareReleases(a: string, b: string): number {
  const numbers = (release: string): number[] => (release.replace(/-cloud-amd64$/, "").match(/\d+/g) ?? []).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? -1) - (right[i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether a release is one of the cloud kernels of a series: 6.1 has 6.1.0-56-cloud-amd64 but not 6.12.…. */
export function isCloudRelease(series: KernelSeries, release: string): boolean {
  return release.startsWith(`${series}.`) && /^\d+\.\d+\.\d+\S*-cloud-amd64$/.test(release);
}

/** The newest of some releases, null when there is none. */
export function newestRelease(releases: readonly string[]): string | null {
  return releases.toSorted(compareReleases).at(-1) ?? null;
}

/** The releases among package names such as `linux-image-6.1.0-56-cloud-amd64`. */
export function releasesOfPackages(series: KernelSeries, names: readonly string[]): string[] {
  const prefix = "linux-image-";
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((release) => isCloudRelease(series, release));
}
