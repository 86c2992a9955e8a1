import type { Diagnosis } from "@spillway/core";
import { describe, expect, it, test } from "vitest";
import { BUFFER_OVERFLOW, DEEP_CHAIN, RECURSION, SYSRQ } from "../../testing/diagnoses.ts";
import { mapOf } from "../../testing/stack-maps.ts";
import { renderMarkdown } from "./markdown.ts";

const render = (diagnosis: Diagnosis, map = diagnosis.stack === null ? null : mapOf(diagnosis)) =>
  renderMarkdown({ diagnosis, map, command: "spillway diagnose vmcore" });

/** Lines outside fenced blocks. */
function prose(text: string): string[] {
  let inside = false;
  return text.split("\n").filter((line) => {
    if (/^```/.test(line)) inside = !inside;
    return !inside && !/^```/.test(line);
  });
}

test("the report of a buffer overflow, section by section", () => {
  const text = render(BUFFER_OVERFLOW);
  expect(prose(text).filter((line) => line.startsWith("#"))).toEqual([
    "# Stack buffer overflow in parse_packet (certain)",
    "## The stack",
    "## The damage",
    "## Evidence",
    "## Also possible",
    "## Not known",
    "## What to do",
    "## The chain of calls",
  ]);
  expect(text).toContain("| culprit | `parse_packet [vandal]` |");
  expect(text).toContain("parse_packet+0x1e [vandal]"); // in the drawing
  expect(text).toContain("| 3 | ○ | `vandal_write+0x1f [vandal]` | 48 |");
  expect(text).toContain("- `vandal_write+0x1f [vandal]`: the only call of parse_packet");
  expect(text).toMatch(/1\. `0x\w+` parse_packet keeps its canary here/);
});

describe.each(Object.entries({ BUFFER_OVERFLOW, DEEP_CHAIN, RECURSION, SYSRQ, TEXT: { ...RECURSION, stack: null } }))(
  "tables of %s",
  (_name, diagnosis) => {
    it("have as many cells in each row as in their head", () => {
      const rows = prose(render(diagnosis)).filter((line) => line.startsWith("|"));
      const cells = (row: string): number => row.replaceAll("\\|", "").split("|").length;
      const tables = rows.filter((row) => /^\| -/.test(row)).map(cells);
      expect(tables).toHaveLength(2);
      expect(new Set(rows.map(cells))).toEqual(new Set(tables));
    });
  },
);

test("the damaged bytes stand between brackets", () => {
  const start = BigInt(BUFFER_OVERFLOW.corruption!.start);
  const corruption = { ...BUFFER_OVERFLOW.corruption!, end: `0x${(start + 2n).toString(16)}`, bytes: 2 };
  const map = mapOf(BUFFER_OVERFLOW, () => ({ address: `0x${start.toString(16)}`, value: "0x4847464544434241" }));
  const text = render({ ...BUFFER_OVERFLOW, corruption }, map);
  expect(text).toMatch(/\[41 42\]43 44 45 46 47 48/);
});

test("text from the dump changes nothing of the structure", () => {
  const evil = "x\n# heading\n| a | b |\n```\n</details><script> [a](b) **c**";
  const panic = { ...SYSRQ.panic, message: evil, comm: evil };
  const frames = SYSRQ.frames.map((frame) => ({ ...frame, function: evil, why: evil, certainty: "inferred" as const }));
  const evidence = [{ id: "e", address: null, text: evil }];
  const hostile = { ...SYSRQ, panic, frames, evidence, missing: [evil], advice: [evil] };
  const text = render(hostile, null);
  const lines = prose(text);
  expect(lines.filter((line) => line.startsWith("#"))).toHaveLength(6);
  expect(text.match(/^```/gm)).toHaveLength(2);
  const withoutCode = lines.map((line) => line.replaceAll(/(`+)(?!`).*?(?<!`)\1(?!`)/g, "CODE"));
  expect(withoutCode.filter((line) => /(?<!\\)<script/.test(line))).toEqual([]);
  expect(withoutCode.filter((line) => line.includes("CODE")).length).toBeGreaterThan(SYSRQ.frames.length);
});
