import type { ChangelogMatches } from "@spillway/core";
import { describe, expect, test } from "vitest";
import { changelogLines } from "./changelog-section.ts";

const NOTHING: ChangelogMatches = {
  source: "changelog.gz",
  from: "6.1.19-1",
  to: "6.1.21-1",
  entries: [],
  found: 0,
  searched: 1822,
  subjects: ["function parse_value (culprit)", "module vandalfs"],
  notes: [],
};
const ENTRY = { version: "6.1.20-1", date: "2026-11-14", text: "vandalfs: fix", matches: ["module vandalfs"] };

describe("the report on a changelog", () => {
  test("says plainly that there is nothing, and how much was searched", () => {
    expect(changelogLines(NOTHING)).toEqual([
      "None of 1,822 changes after 6.1.19-1, up to 6.1.21-1 (changelog.gz) names what was looked for: function parse_value (culprit), module vandalfs.",
    ]);
  });

  test("lists what was found", () => {
    expect(changelogLines({ ...NOTHING, entries: [ENTRY], found: 1, from: null, notes: ["A note."] })).toEqual([
      "A note.",
      "1 of 1,822 changes up to 6.1.21-1 (changelog.gz) names what was looked for: function parse_value (culprit), module vandalfs.",
      "6.1.20-1, 2026-11-14: vandalfs: fix [module vandalfs]",
    ]);
  });

  test("cuts a long list and says so", () => {
    const lines = changelogLines({ ...NOTHING, entries: Array.from({ length: 50 }, () => ENTRY), found: 70 });
    expect(lines.length).toBe(14);
    expect(lines.at(-1)).toBe("58 more: --json lists the first 50.");
  });

  test("with nothing newer only the note stands", () => {
    expect(changelogLines({ ...NOTHING, searched: 0, notes: ["Nothing newer."] })).toEqual(["Nothing newer."]);
  });
});
