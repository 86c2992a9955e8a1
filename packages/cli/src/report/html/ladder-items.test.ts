import type { Diagnosis } from "@spillway/core";
import { describe, expect, it } from "vitest";
import { BUFFER_OVERFLOW, DEEP_CHAIN, RECURSION, SYSRQ } from "../../testing/diagnoses.ts";
import { mapOf } from "../../testing/stack-maps.ts";
import { culpritFrame, recursionFrames } from "./blame.ts";
import { ladderItems } from "./ladder-items.ts";

/** Items as short words. */
function items(diagnosis: Diagnosis, map = mapOf(diagnosis)): string[] {
  return ladderItems(diagnosis, map.stacks[0]!).map((item) =>
    item.kind === "group"
      ? `[${item.label}: ${item.bytes}]`
      : `${item.region.label.split("+")[0]}${item.open ? " open" : ""}`,
  );
}

describe("lines of the map", () => {
  it("opens what the damage touches", () => {
    expect(items(BUFFER_OVERFLOW)).toEqual([
      "not in the text",
      "panic",
      "__stack_chk_fail",
      "parse_packet open",
      "vandal_write open",
      "proc_reg_write",
      "vfs_write",
      "ksys_write",
      "do_syscall_64",
      "entry_SYSCALL_64_after_hwframe",
      "above the outermost frame",
    ]);
  });

  it("opens nothing on a whole stack", () => {
    expect(items(SYSRQ).filter((item) => item.endsWith(" open"))).toEqual([]);
  });

  it("shows one turn of a recursion and puts the others behind a line", () => {
    const list = items(RECURSION);
    expect(list.filter((item) => item.startsWith("nest"))).toEqual(["nest", "nest_entry"]);
    expect(list.find((item) => item.startsWith("["))).toBe(`[211 more turns of nest: ${211 * 80}]`);
  });

  it("puts the middle of a deep chain behind a line, but not the culprit", () => {
    const culprit = { function: "level_30", module: null, file: null, line: null };
    const list = items({ ...DEEP_CHAIN, verdict: { ...DEEP_CHAIN.verdict, culprit } });
    const hidden = list.filter((item) => item.startsWith("["));
    expect(hidden).toHaveLength(2);
    expect(list.indexOf("level_30")).toBe(list.indexOf(hidden[0]!) + 1);
  });

  it("opens only so many words, those of the culprit first", () => {
    const long = mapOf(BUFFER_OVERFLOW);
    const many = Array.from({ length: 200 }, () => long.stacks[0]!.regions[1]!.words[0]!);
    const regions = long.stacks[0]!.regions.map((region) => (region.damaged ? { ...region, words: many } : region));
    const list = items(BUFFER_OVERFLOW, { ...long, stacks: [{ ...long.stacks[0]!, regions }] });
    expect(list.filter((item) => item.endsWith(" open"))).toEqual(["parse_packet open"]);
  });
});

describe("with inlined functions among the frames", () => {
  const inlined = { ...RECURSION.frames[1]!, function: "helper", inlined: true };
  const frames = RECURSION.frames.flatMap((frame) => (frame.function === "nest" ? [inlined, frame] : [frame]));
  const recursion = { ...RECURSION.recursion!, firstFrame: 1 };
  const culprit = { function: "helper", module: "vandal", file: null, line: null };
  const diagnosis = { ...RECURSION, frames, recursion, verdict: { ...RECURSION.verdict, culprit } };

  it("counts the frames of the turns without them", () => {
    const indexes = recursionFrames(diagnosis);
    expect(indexes).toHaveLength(212);
    expect(new Set(indexes.map((index) => frames[index]!.function))).toEqual(new Set(["nest"]));
  });

  it("takes the frame that an inlined culprit is part of", () => {
    expect(culpritFrame(diagnosis)).toBe(1);
  });
});
