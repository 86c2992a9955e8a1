/**
 * Debian's form (deb-changelog(5)): a line with package and version, entries that are indented, and a line with the
 * maintainer and the date. The kernel's entries come in two levels, `*` and below it `-`; each is a change.
 */
import { type ChangelogRelease, isoDate, type OpenRelease } from "./changelog.ts";

const HEAD = /^(\w[-+.\w]*) \(([^()\s]{1,200})\)((?:\s+[-+.\w]+)+);/;
const TRAILER = /^ -- (.{1,500}?) {1,2}(\w{3},? .*)$/;
const BULLET = /^\s+[*+-] (\S.*)$/;
/** "  [ Ben Hutchings ]": whose entries follow. */
const AUTHOR = /^\s+\[ .* \]\s*$/;
/** The packages with signed binaries have versions of their own and name the source's. */
const SIGNED = /^Sign kernel from \S+ (\S+)$/;

export function isDebianChangelog(text: string): boolean {
  return HEAD.test(text.trimStart().slice(0, 500));
}

export function parseDebianChangelog(text: string): ChangelogRelease[] {
  const releases: OpenRelease[] = [];
  let release: OpenRelease | null = null;
  let open = false;
  for (const line of text.split("\n")) {
    const head = line.startsWith(" ") ? null : HEAD.exec(line);
    if (head !== null) {
      release = { version: head[2]!, date: null, author: null, changes: [] };
      releases.push(release);
      open = false;
      continue;
    }
    if (release === null) continue;
    const trailer = line.startsWith(" -- ") ? TRAILER.exec(line) : null;
    if (trailer !== null) {
      release.author = trailer[1]!;
      release.date = isoDate(trailer[2]!);
      open = false;
      continue;
    }
    const bullet = BULLET.exec(line);
    if (bullet !== null) {
      release.changes.push({ text: bullet[1]!.trimEnd(), body: "" });
      open = true;
    } else if (line.trim() === "" || AUTHOR.test(line)) {
      open = false;
    } else if (open) {
      const last = release.changes.at(-1)!;
      last.text += ` ${line.trim()}`;
    }
  }
  for (const one of releases) one.version = signedVersion(one) ?? one.version;
  return releases;
}

function signedVersion(release: OpenRelease): string | null {
  for (const change of release.changes.slice(0, 3)) {
    const found = SIGNED.exec(change.text);
    if (found !== null) return found[1]!;
  }
  return null;
}
