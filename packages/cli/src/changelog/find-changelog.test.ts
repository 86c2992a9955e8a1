import { expect, test } from "vitest";
import { bestOf, type NamedChangelog } from "./find-changelog.ts";

function named(source: string, ...versions: string[]): NamedChangelog {
  const releases = versions.map((version) => ({ version, date: null, author: null, changes: [] }));
  return { source, changelog: { form: "debian", releases } };
}

const CRASHED = { release: "6.1.0-7-amd64", banner: "#1 SMP Debian 6.1.20-1 (2026-10-01)" };

test.each<[string, NamedChangelog[], string | null]>([
  ["none", [], null],
  [
    "the newest that lists the crashed release",
    [
      named("old", "6.1.20-1", "6.1.19-1"),
      named("new", "6.1.22-1", "6.1.20-1"),
      named("other series", "6.12.9-1", "6.12.8-1", "6.1.4-1"),
      named("between", "6.1.21-1", "6.1.20-1"),
    ],
    "new",
  ],
  [
    "without one that lists it, the newest",
    [named("6.9", "6.9.1-1"), named("6.12", "6.12.9-1"), named("6.10", "6.10.1-1")],
    "6.12",
  ],
])("of several changelogs: %s", (_what, found, source) => {
  expect(bestOf(found, CRASHED)?.source ?? null).toBe(source);
});
