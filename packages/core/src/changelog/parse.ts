import type { Changelog } from "./changelog.ts";
import { isDebianChangelog, parseDebianChangelog } from "./parse-debian.ts";
import { isGitLog, parseGitLog } from "./parse-git-log.ts";
import { isRpmChangelog, parseRpmChangelog } from "./parse-rpm.ts";

/** Parses a changelog of any of the three forms, told apart by content; null where the text is none of them. */
export function parseChangelog(text: string): Changelog | null {
  const plain = text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  if (isGitLog(plain)) return { form: "git-log", releases: parseGitLog(plain) };
  if (isDebianChangelog(plain)) return { form: "debian", releases: parseDebianChangelog(plain) };
  if (isRpmChangelog(plain)) return { form: "rpm", releases: parseRpmChangelog(plain) };
  return null;
}
