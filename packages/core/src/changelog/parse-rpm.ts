/**
 * RPM's form, in a spec file's `%changelog` and as `rpm -q --changelog` prints it: "* Wed Sep 26 2018 Name <mail> [version]"
 * (Red Hat), "… - version" or "… version" (Fedora), or without a version (SUSE); then lines that begin with "- ".
 */
import { type ChangelogRelease, isoDate, type OpenRelease } from "./changelog.ts";

const HEAD = /^\* ((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w* [A-Z][a-z]{2} +\d{1,2} (?:[\d:]+ \w+ )?\d{4})\s+(.*)$/;
/** What can be a version, as the last word behind the author. */
const VERSION = /^\[?v?((?:\d+:)?\d[\w.+~^-]*\.[\w.+~^-]*)\]?$/;
/** Of the line with author and version, in characters. */
const LONGEST_HEAD = 500;

export function isRpmChangelog(text: string): boolean {
  return /^%changelog\b/m.test(text) || HEAD.test(text.trimStart().split("\n", 1)[0]!);
}

export function parseRpmChangelog(text: string): ChangelogRelease[] {
  const section = /^%changelog\b.*\n/m.exec(text);
  const lines = (section === null ? text : text.slice(section.index + section[0].length)).split("\n");
  const releases: OpenRelease[] = [];
  let release: OpenRelease | null = null;
  let open = false;
  for (const line of lines) {
    const head = HEAD.exec(line);
    if (head !== null) {
      const words = head[2]!.slice(0, LONGEST_HEAD).trim().split(/\s+/);
      const version = VERSION.exec(words.at(-1)!)?.[1] ?? null;
      if (version !== null) words.pop();
      if (words.at(-1) === "-") words.pop();
      release = { version, date: isoDate(head[1]!), author: words.join(" "), changes: [] };
      releases.push(release);
      open = false;
    } else if (release === null) {
    } else if (line.startsWith("- ")) {
      release.changes.push({ text: line.slice(2).trim(), body: "" });
      open = true;
    } else if (/^%\w/.test(line)) {
      break;
    } else if (line.trim() === "" || line.startsWith("#")) {
      open = false;
    } else if (open) {
      const last = release.changes.at(-1)!;
      last.text += ` ${line.trim()}`;
    }
  }
  return releases;
}
