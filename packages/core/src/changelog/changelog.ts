/** A kernel's changelog, whichever way it was written: releases, newest first, each with its changes. */
export type ChangelogForm = "debian" | "rpm" | "git-log";

export interface Change {
  /** What is shown: the entry, or a commit's subject. */
  readonly text: string;
  /** The rest of a commit's message; empty elsewhere. */
  readonly body: string;
}

export interface ChangelogRelease {
  /** As the packages are numbered; null where the changelog gives dates alone. */
  readonly version: string | null;
  /** "2026-11-14", or null. */
  readonly date: string | null;
  readonly author: string | null;
  readonly changes: readonly Change[];
}

export interface Changelog {
  readonly form: ChangelogForm;
  readonly releases: readonly ChangelogRelease[];
}

/** A release while it is being read. */
export interface OpenRelease {
  version: string | null;
  date: string | null;
  author: string | null;
  changes: { text: string; body: string }[];
}

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** A date in any of the forms that changelogs have ("Wed Sep 26 2018", "Sat, 14 Nov 2026 11:29:58 +0100"): "2018-09-26". */
export function isoDate(text: string): string | null {
  const month = /\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b/i.exec(text)?.[1]?.toLowerCase();
  const day = /(?<![\d:])(\d{1,2})(?![\d:])/.exec(text)?.[1];
  const year = /\b((?:19|20)\d\d)\b/.exec(text)?.[1];
  if (month === undefined || day === undefined || year === undefined) {
    return /\b\d{4}-\d\d-\d\d\b/.exec(text)?.[0] ?? null;
  }
  return `${year}-${String(MONTHS.indexOf(month) + 1).padStart(2, "0")}-${day.padStart(2, "0")}`;
}
