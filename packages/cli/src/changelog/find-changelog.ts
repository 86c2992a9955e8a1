/** `--changelog auto`: a changelog of the crashed kernel's distribution on this machine. Nothing is fetched. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  type Changelog,
  type CrashedKernel,
  compareDebianVersions,
  compareRpmVersions,
  crashedVersion,
  parseChangelog,
  SpillwayError,
} from "@spillway/core";
import { readText } from "../io/read-text.ts";

export interface NamedChangelog {
  readonly changelog: Changelog;
  /** The file, or the command that printed it. */
  readonly source: string;
}

const DEBIAN_PLACE = "/usr/share/doc";
/** Packages built from the kernel's sources carry the changelog (Debian policy, 12.7). */
const DEBIAN_PACKAGE = /^linux-(?:image-|libc-dev$|perf$|doc|headers-|modules-|tools-)/;
/** Packages of the kernel itself, by distribution: Red Hat 8 and later, older ones, SUSE, Oracle. */
const RPM_PACKAGES = ["kernel-core", "kernel", "kernel-default", "kernel-uek-core", "kernel-uek"] as const;
/** Files read; several packages of one release carry the same. */
const MOST_FILES = 24;

/** The changelog that knows the crashed release and goes on furthest; null where this machine has none. */
export function findChangelog(kernel: CrashedKernel): NamedChangelog {
  const best = bestOf(debianChangelogs(), kernel) ?? rpmChangelog();
  if (best !== null) return best;
  throw new SpillwayError("SPW_CHANGELOG_NOT_FOUND", "there is no kernel changelog in the usual places", {
    class: "missing",
    facts: { searched: [`${DEBIAN_PLACE}/linux-*/changelog*`, "rpm -q --changelog"] },
    hint: "Get one (apt changelog, rpm -q --changelog, kernel.org's ChangeLog-VERSION) and give the file: --changelog FILE.",
  });
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function debianFiles(): string[] {
  const packages = entriesOf(DEBIAN_PLACE).filter((name) => DEBIAN_PACKAGE.test(name));
  // Images first: they are what crashed.
  packages.sort((a, b) => Number(b.startsWith("linux-image")) - Number(a.startsWith("linux-image")));
  return packages.flatMap((name) =>
    entriesOf(join(DEBIAN_PLACE, name))
      .filter((file) => /^changelog(?:\.Debian)?(?:\.gz|\.xz)?$/.test(file))
      .map((file) => join(DEBIAN_PLACE, name, file)),
  );
}

function debianChangelogs(): NamedChangelog[] {
  const found: NamedChangelog[] = [];
  for (const source of debianFiles().slice(0, MOST_FILES)) {
    try {
      const changelog = parseChangelog(readText(source));
      if (changelog !== null && changelog.releases.length > 0) found.push({ changelog, source });
    } catch (error) {
      // One that cannot be read is not the one to use.
      if (!(error instanceof SpillwayError)) throw error;
    }
  }
  return found;
}

/** Of those that list the crashed version the one whose newest release is newest; else of all. */
export function bestOf(found: readonly NamedChangelog[], kernel: CrashedKernel): NamedChangelog | null {
  const newest = (one: NamedChangelog) => one.changelog.releases[0]?.version ?? "";
  const knows = ({ changelog }: NamedChangelog) => {
    const version = crashedVersion(changelog.form, kernel);
    return changelog.releases.some((release) => release.version === version);
  };
  const knowing = found.filter(knows);
  const candidates = knowing.length > 0 ? knowing : found;
  return candidates.reduce<NamedChangelog | null>(
    (best, one) => (best === null || compareDebianVersions(newest(one), newest(best)) > 0 ? one : best),
    null,
  );
}

function rpmChangelog(): NamedChangelog | null {
  for (const name of RPM_PACKAGES) {
    const versions = output("rpm", ["-q", "--qf", "%{VERSION}-%{RELEASE}.%{ARCH}\\n", name]);
    if (versions === null) continue;
    const newest = versions.trim().split("\n").sort(compareRpmVersions).at(-1);
    const text = output("rpm", ["-q", "--changelog", `${name}-${newest}`]);
    const changelog = text === null ? null : parseChangelog(text);
    if (changelog !== null) return { changelog, source: `rpm -q --changelog ${name}-${newest}` };
  }
  return null;
}

/** What a program prints; null where it is not there or fails. */
function output(program: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 256 << 20 });
  return status === 0 ? stdout : null;
}
