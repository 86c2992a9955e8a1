import { describe, expect, it } from "vitest";
import { BUDGET_SCHEMA, type BudgetDocument } from "../../budget/budget-document.ts";
import { profileFromBudget } from "./budget-profile.ts";
import { DEFAULT_PROFILE } from "./default-profile.ts";
import { parseDesign, stackMemory } from "./design.ts";
import { parseLevels } from "./parse-levels.ts";
import { readProfile, withPoints } from "./profile.ts";

describe("designs", () => {
  it.each([
    ["8k", 8192, false, false, false],
    ["4k+irq", 4096, true, false, false],
    ["16K+IRQ+extra", 16384, true, true, false],
    ["32k+vmap+extra", 32768, false, true, true],
    ["4096k", 4 << 20, false, false, false],
  ])("%s", (text, stackBytes, irqStacks, extra, vmap) => {
    expect(parseDesign(text)).toMatchObject({ stackBytes, irqStacks, extra, vmap });
  });

  it("have one name each", () => {
    expect(parseDesign("8k+vmap+extra+irq").name).toBe("8k+irq+extra+vmap");
  });

  it.each(["", "8", "8kb", "7k", "2k", "0k", "8192k", "8k+", "8k+irq+irq", "8k+foo", "-8k", "8k extra"])(
    "refuses %j",
    (text) => {
      expect(() => parseDesign(text)).toThrow("no design of stacks");
    },
  );

  it.each([
    ["8k", 10_000, 81_920_000],
    ["4k+irq", 10_000, 10_008 * 4096],
    ["4k+irq+extra", 100, (100 + 8 + 32) * 4096],
    ["32k+extra", 1, 33 * 32768],
  ])("%s of %i tasks takes %i bytes on 4 CPUs with a pool of 32", (design, tasks, bytes) => {
    expect(stackMemory(parseDesign(design), tasks, 4, { stacks: 32, thresholdBytes: null })).toBe(bytes);
  });
});

describe("the built-in profile", () => {
  it("is one that can be read back", () => {
    expect(readProfile(JSON.stringify(DEFAULT_PROFILE))).toEqual(DEFAULT_PROFILE);
  });

  it("has the layers of the trace of 2010, at 0.7 of its 7,440 bytes", () => {
    const bytes = (name: string) => DEFAULT_PROFILE.levels.find((level) => level.name === name)!.bytes[0];
    const path = ["write", "write-out", "xfs", "allocation", "split", "buffer", "reclaim"];
    const sum = path.reduce((so, name) => so + bytes(name), 0);
    expect(Math.abs(sum - 0.7 * 7440)).toBeLessThan(4);
  });
});

/** A profile that may be spoiled. */
type Draft = Record<string, unknown> & {
  levels: Record<string, unknown>[];
  interrupts: Record<string, unknown>;
};

describe("profiles", () => {
  const change = (edit: (profile: Draft) => void): string => {
    const profile = structuredClone(DEFAULT_PROFILE) as unknown as Draft;
    edit(profile);
    return JSON.stringify(profile);
  };

  it.each([
    ["it is no JSON", "{"],
    ["the document is no object", "[]"],
    ["its schema is not", "{}"],
    ["levels is no list", change((p) => Object.assign(p, { levels: 5 }))],
    ["levels[0].bytes is no number", change((p) => (p.levels[0].bytes = "8k"))],
    ["levels[0].bytes is no number of 0 or more", change((p) => (p.levels[0].bytes = -1))],
    ["levels[0].bytes is no range of whole bytes", change((p) => (p.levels[0].bytes = [2, 1]))],
    ["two levels have one name", change((p) => (p.levels[1].name = "write"))],
    ["names a level that is not there", change((p) => (p.levels[0].next = { nothing: 0.5 }))],
    ["add up to 1.2", change((p) => (p.levels[0].next = { xfs: 0.6, reclaim: 0.6 }))],
    ["start names no level", change((p) => (p.start = {}))],
    ["levels[0].point is neither true nor false", change((p) => (p.levels[0].point = 1))],
    ["interrupts.softChance is more than 1", change((p) => (p.interrupts.softChance = 2))],
    ["interrupts.soft is empty", change((p) => (p.interrupts.soft = []))],
    ["interrupts keep a CPU busy", change((p) => (p.interrupts.perSecond = 50_000))],
    ["thinkMicros is no number of 1 or more", change((p) => (p.thinkMicros = 0))],
  ])("%s", (why, json) => {
    expect(() => readProfile(json)).toThrow(why);
  });

  it("take a number for a range", () => {
    expect(readProfile(change((p) => (p.levels[0].bytes = 5))).levels[0]!.bytes).toEqual([5, 5]);
  });

  it("get other critical points", () => {
    const points = withPoints(DEFAULT_PROFILE, ["write", "split"]).levels.filter((level) => level.point);
    expect(points.map((level) => level.name)).toEqual(["write", "split"]);
    expect(() => withPoints(DEFAULT_PROFILE, ["nfs"])).toThrow('no level "nfs"');
  });
});

describe("levels on the command line", () => {
  it.each([
    ["700", [[700, 700]], [{}]],
    [
      "700,300",
      [
        [700, 700],
        [300, 300],
      ],
      [{ "level-2": 1 }, {}],
    ],
    [
      "700, 300-400:0.5",
      [
        [700, 700],
        [300, 400],
      ],
      [{ "level-2": 0.5 }, {}],
    ],
    [
      "700,300:0.5*0.25,9",
      [
        [700, 700],
        [300, 300],
        [9, 9],
      ],
      [{ "level-2": 0.5 }, { "level-2": 0.25, "level-3": 0.75 }, {}],
    ],
  ])("%s", (text, bytes, next) => {
    const { levels } = parseLevels(text);
    expect(levels.map((level) => level.bytes)).toEqual(bytes);
    expect(levels.map((level) => level.next)).toEqual(next);
    expect(levels.map((level) => level.point)).toEqual(levels.map((_, at) => at > 0));
  });

  it.each(["", "a", "1,,2", "5-4", "5:2", "5*1", "5:", "1e9", "-5", "5:0.5:0.5"])("refuses %j", (text) => {
    expect(() => parseLevels(text)).toThrow("no level");
  });
});

describe("a profile out of a budget", () => {
  const entry = (name: string, kind: string, bound: number, path: unknown) => ({
    name,
    kind,
    function: name,
    module: null,
    baseBytes: 100,
    bounds: { direct: 1, slotMatched: bound, prototypeMatched: 9 },
    path,
  });
  const step = (name: string, bytes: number, module: string | null = null) => ({ function: name, bytes, module });
  const document = {
    schema: BUDGET_SCHEMA,
    kernel: { release: "6.1.0", source: "vmlinux", name: "vmlinux" },
    stackBytes: 16384,
    interrupts: [
      { name: "asm_exc_page_fault", bytes: { slotMatched: 900 }, extent: "whole", why: "" },
      { name: "asm_common_interrupt", bytes: { slotMatched: 184 }, extent: "entry", why: "" },
    ],
    entries: [
      entry("sys_write", "system-call", 1000, [
        step("sys_write", 10),
        step("vfs_write", 20),
        step("new_sync_write", 30),
        step("xfs_file_write_iter", 40, "xfs"),
        step("iomap_apply", 50),
        step("submit_bio_noacct", 60),
      ]),
      entry("do_work", "work", 500, [step("do_work", 5)]),
      entry("common_interrupt", "interrupt", 700, []),
      entry("net_rx_action", "softirq", 1200, []),
      entry("broken", "system-call", 5, [{ function: "broken" }]),
    ],
  } as unknown as BudgetDocument;
  const make = (entries: string[], points: string[] = []) =>
    profileFromBudget(document, { entries, deeper: 0.5, points });

  it("has a level for each module and each critical point of the deepest path", () => {
    const { levels, start, reservedBytes } = make(["sys_write"]);
    expect(levels.map(({ bytes, point }) => [bytes[0], point])).toEqual([
      [110, false],
      [50, true],
      [40, false],
      [50, false],
      [60, true],
    ]);
    expect(levels[0]!.next).toEqual({ "sys_write/1": 0.5 });
    expect(levels.at(-1)!.next).toEqual({});
    expect([start, reservedBytes]).toEqual([{ "sys_write/0": 1 }, 8]);
  });

  it("takes further functions as points", () => {
    expect(make(["sys_write"], ["new_sync_write"]).levels).toHaveLength(6);
  });

  it("begins at each entry as often, and has those of interrupts as interrupts", () => {
    const { start, interrupts } = make(["sys_write", "do_work", "common_interrupt", "net_rx_action"]);
    expect(start).toEqual({ "sys_write/0": 0.5, "do_work/0": 0.5 });
    expect(interrupts.hard.bytes).toEqual([700, 700]);
    expect(interrupts.soft).toEqual([{ bytes: [1200, 1200], micros: 10 }]);
    expect(interrupts.entryBytes).toBe(184);
    expect(interrupts.perSecond).toBeGreaterThan(0);
    expect(make(["do_work"]).interrupts.perSecond).toBe(0);
  });

  it.each([
    [["sys_read"], 'no entry "sys_read"'],
    [["common_interrupt"], "no entry of a task"],
    [["broken"], "has no path"],
  ])("refuses %j", (entries, why) => {
    expect(() => make(entries)).toThrow(why);
  });

  it("can be read back", () => {
    const profile = make(["sys_write", "net_rx_action"]);
    expect(readProfile(JSON.stringify(profile))).toEqual(profile);
  });
});
