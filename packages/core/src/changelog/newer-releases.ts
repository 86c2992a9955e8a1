/** The releases of a changelog that came after the crashed kernel. */
import { type Changelog, type ChangelogForm, type ChangelogRelease, isoDate } from "./changelog.ts";
import { compareDebianVersions, compareRpmVersions } from "./compare-versions.ts";
import { buildTime, type CrashedKernel, crashedVersion } from "./crashed-version.ts";

/** Releases of Linux itself: a candidate comes before the release. */
function compareUpstream(a: string, b: string): number {
  return compareDebianVersions(a.replace("-rc", "~rc"), b.replace("-rc", "~rc"));
}

const COMPARE: Record<ChangelogForm, (a: string, b: string) => number> = {
  debian: compareDebianVersions,
  rpm: compareRpmVersions,
  "git-log": compareUpstream,
};

export interface NewerReleases {
  /** The crashed kernel's version in this changelog's numbering, or the date it was built; null where neither is known. */
  readonly from: string | null;
  /** The newest release of the changelog; null where it has none. */
  readonly to: string | null;
  readonly releases: readonly ChangelogRelease[];
  /** What limits the answer, in words. */
  readonly notes: readonly string[];
}

export function newerReleases(changelog: Changelog, kernel: CrashedKernel): NewerReleases {
  const compare = COMPARE[changelog.form];
  const versioned = changelog.releases.filter((release) => release.version !== null);
  const from = crashedVersion(changelog.form, kernel);
  if (versioned.length === 0) return newerByDate(changelog, kernel);
  const newest = versioned.reduce((best, one) => (compare(one.version!, best.version!) > 0 ? one : best));
  const to = newest.version;
  if (from === null) {
    const note = `${kernel.release || "The crashed kernel"} could not be matched to a version of this changelog; all of it was searched.`;
    return { from, to, releases: changelog.releases, notes: [note] };
  }
  const same = (version: string) =>
    compare(version, from) === 0 || (changelog.form === "rpm" && from.startsWith(`${version}.`));
  const releases = versioned.filter(({ version }) => compare(version!, from) > 0 && !same(version!));
  const notes: string[] = [];
  if (releases.length === 0) {
    const whole = same(to!)
      ? `its newest release, ${to}, is the one that crashed`
      : `it ends with ${to}, before ${from}`;
    notes.push(`The changelog has nothing newer than the crashed kernel: ${whole}.`);
  } else if (!versioned.some(({ version }) => same(version!))) {
    const oldest = releases.at(-1)!.version;
    notes.push(`The changelog does not have ${from} itself; what it has from ${oldest} on was searched.`);
  }
  return { from, to, releases, notes };
}

function newerByDate(changelog: Changelog, kernel: CrashedKernel): NewerReleases {
  const built = buildTime(kernel.banner);
  const from = built === null ? null : isoDate(built);
  const dates = changelog.releases.map(({ date }) => date).filter((date) => date !== null);
  const to = dates.reduce<string | null>((newest, date) => (newest === null || date > newest ? date : newest), null);
  if (from === null) {
    const note = "The changelog has no versions and the crashed kernel no build date; all of it was searched.";
    return { from, to, releases: changelog.releases, notes: [note] };
  }
  return {
    from,
    to,
    releases: changelog.releases.filter(({ date }) => date !== null && date > from),
    notes: ["The changelog has no versions: what is dated after the crashed kernel's build was searched."],
  };
}
