/**
 * The form of `git log`, in which kernel.org publishes a ChangeLog for each stable release. The commit that makes a release
 * ("Linux 6.1.192") comes first and the commits that went into it follow.
 */
import { type ChangelogRelease, isoDate, type OpenRelease } from "./changelog.ts";

const COMMIT = /^commit [0-9a-f]{7,40}\b/;
const FIELD = /^(Author|Date|AuthorDate|Merge|Commit|CommitDate):\s+(.*)$/;
const RELEASE = /^Linux v?(\d+\.\d+(?:\.\d+)?(?:-rc\d+)?)$/;
/** Lines of a message that are looked at. */
const LONGEST_BODY = 200;

export function isGitLog(text: string): boolean {
  return COMMIT.test(text.trimStart());
}

export function parseGitLog(text: string): ChangelogRelease[] {
  const releases: OpenRelease[] = [];
  let release: OpenRelease | null = null;
  let author: string | null = null;
  let date: string | null = null;
  let message: string[] | null = null;
  const finish = (): void => {
    const subject = message?.find((line) => line !== "");
    if (message === null || subject === undefined) return;
    const version = RELEASE.exec(subject)?.[1];
    if (version !== undefined || release === null) {
      release = { version: version ?? null, date, author, changes: [] };
      releases.push(release);
      if (version !== undefined) return;
    }
    release.changes.push({ text: subject, body: message.slice(message.indexOf(subject) + 1).join("\n") });
  };
  for (const line of text.split("\n")) {
    if (COMMIT.test(line)) {
      finish();
      message = [];
      author = null;
      date = null;
    } else if (message === null) {
    } else if (line.startsWith("    ")) {
      if (message.length < LONGEST_BODY) message.push(line.trim());
    } else {
      const field = FIELD.exec(line);
      if (field?.[1] === "Author") author = field[2]!;
      else if (field !== null && field[1]!.endsWith("Date")) date = isoDate(field[2]!);
    }
  }
  finish();
  return releases;
}
