/** Looks in a changelog for what was changed, since the crash, about what crashed. */
import type { ChangelogMatches } from "../diagnose/diagnosis.ts";
import type { Change, Changelog } from "./changelog.ts";
import type { CrashedKernel } from "./crashed-version.ts";
import { newerReleases } from "./newer-releases.ts";
import { type SubjectSource, subjectOf, type Term, wordingOf } from "./subject.ts";

/** Entries that are listed; `found` counts all. */
const MOST_LISTED = 50;
/** An entry is shown up to here, in characters. */
const LONGEST_TEXT = 500;
/** What is looked at of an entry, and of a commit's message, in characters: far more than people write. */
const MOST_READ = 10_000;
/** A mention in a commit's message is often part of somebody's trace: half the weight of one in its subject. */
const IN_BODY = 0.5;
/** Programs that are built from the kernel's sources: nothing in them mends a kernel. ("perf/x86: …" is the kernel's.) */
const PROGRAM = /^(?:\[[\w/]+\] )?(?:perf [a-z]|tools\b|k?selftests?\b)|^\[(?:tools|perf|documentation)\]/i;
/** Wording that goes with the kind of trouble. */
const WORDING_FACTOR = 1.5;

interface Match {
  readonly strength: number;
  readonly matches: readonly string[];
}

/** @param source the changelog's name, for `source` of the result */
export function searchChangelog(
  changelog: Changelog,
  kernel: CrashedKernel,
  diagnosis: SubjectSource,
  source: string,
): ChangelogMatches {
  const newer = newerReleases(changelog, kernel);
  const terms = subjectOf(diagnosis);
  const wording = wordingOf(diagnosis.verdict.kind);
  const found: { strength: number; order: number; entry: ChangelogMatches["entries"][number] }[] = [];
  let searched = 0;
  for (const release of newer.releases) {
    for (const change of release.changes) {
      searched++;
      const match = matchChange(change, terms, wording);
      if (match === null) continue;
      const text = change.text.length > LONGEST_TEXT ? `${change.text.slice(0, LONGEST_TEXT)}…` : change.text;
      const entry = { version: release.version, date: release.date, text, matches: match.matches };
      found.push({ strength: match.strength, order: searched, entry });
    }
  }
  found.sort((a, b) => b.strength - a.strength || a.order - b.order);
  return {
    source,
    from: newer.from,
    to: newer.to,
    entries: found.slice(0, MOST_LISTED).map(({ entry }) => entry),
    found: found.length,
    searched,
    subjects: terms.map((term) => term.label),
    notes: newer.notes,
  };
}

function matchChange(whole: Change, terms: readonly Term[], wording: RegExp | null): Match | null {
  const change = { text: whole.text.slice(0, MOST_READ), body: whole.body.slice(0, MOST_READ) };
  if (PROGRAM.test(change.text)) return null;
  let strength = 0;
  const matches: string[] = [];
  for (const term of terms) {
    const weight = term.pattern.test(change.text)
      ? term.weight
      : term.where === "whole" && change.body !== "" && term.pattern.test(change.body)
        ? term.weight * IN_BODY
        : 0;
    if (weight === 0) continue;
    matches.push(term.label);
    // What is named besides adds a little: the strongest match ranks.
    strength = Math.max(strength, weight) + Math.min(strength, weight) / 10;
  }
  if (matches.length === 0) return null;
  const said = wording?.exec(change.text)?.[0];
  if (said === undefined) return { strength, matches };
  return { strength: strength * WORDING_FACTOR, matches: [...matches, `wording "${said}"`] };
}
