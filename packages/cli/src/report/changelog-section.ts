import type { ChangelogMatches } from "@spillway/core";
import { thousands } from "../text/hex.ts";

/** Changes that are shown; the JSON has more. */
const MOST_SHOWN = 12;

/** The report's lines on a changelog: first what was searched, then the changes found. */
export function changelogLines(changelog: ChangelogMatches): readonly string[] {
  const { entries, found, searched, from, to, source, subjects, notes } = changelog;
  const span = from === null ? `up to ${to}` : `after ${from}, up to ${to}`;
  const looked = `${thousands(searched)} change${searched === 1 ? "" : "s"} ${span} (${source})`;
  const shown = entries.slice(0, MOST_SHOWN);
  const lines = [...notes];
  if (searched > 0) {
    lines.push(
      found === 0
        ? `None of ${looked} names what was looked for: ${subjects.join(", ") || "nothing that the verdict names"}.`
        : `${thousands(found)} of ${looked} ${found === 1 ? "names" : "name"} what was looked for: ${subjects.join(", ")}.`,
    );
  }
  for (const { version, date, text, matches } of shown) {
    const when = [version, date].filter((part) => part !== null).join(", ");
    lines.push(`${when}: ${text} [${matches.join("; ")}]`);
  }
  if (found > shown.length)
    lines.push(`${thousands(found - shown.length)} more: --json lists the first ${entries.length}.`);
  return lines;
}
