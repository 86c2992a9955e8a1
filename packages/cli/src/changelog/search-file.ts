import {
  type ChangelogMatches,
  type CrashedKernel,
  type Diagnosis,
  parseChangelog,
  SpillwayError,
  searchChangelog,
} from "@spillway/core";
import { readText } from "../io/read-text.ts";
import { findChangelog, type NamedChangelog } from "./find-changelog.ts";

/**
 * What `--changelog FILE|auto` gives: the changes since the crashed release that name what the verdict names.
 * @throws SpillwayError as `readText` and `findChangelog`; `SPW_CHANGELOG_UNKNOWN_FORM`
 */
export function searchFile(given: string, kernel: CrashedKernel, diagnosis: Diagnosis): ChangelogMatches {
  const { changelog, source } = given === "auto" ? findChangelog(kernel) : readChangelog(given);
  return searchChangelog(changelog, kernel, diagnosis, source);
}

function readChangelog(path: string): NamedChangelog {
  const changelog = parseChangelog(readText(path));
  if (changelog !== null) return { changelog, source: path };
  throw new SpillwayError("SPW_CHANGELOG_UNKNOWN_FORM", `${path}: this is no changelog that Spillway reads`, {
    facts: { path },
    hint: "It reads Debian's (debian/changelog), RPM's (rpm -q --changelog, a spec file) and git log's (kernel.org's ChangeLog).",
  });
}
