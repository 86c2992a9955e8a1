import { describe, expect, test } from "vitest";
import { graphOf, numberOf } from "../call-graph.fixture.ts";
import { CallMatcher } from "./call-matcher.ts";
import { precisionOf } from "./precision.ts";
import { readCalls, readNestings, readStacks, readStackTracer } from "./read-recording.ts";
import { recallOf, recallOfCalls, recallOfNestings, recallOfStacks } from "./recall.ts";
import { compareStackTracer } from "./stack-tracer.ts";

// The fixture puts function n at 0x81000000 + 0x1000 n and its calls, of five bytes, from +0x10 on.
const graph = graphOf(`
  write 40: check+48, *file.write+56, ?char+64, !+72
  check 16: tail slow
  slow 16: log+24
  ext4 24: tail check
  odd 8
  asm_exc 8
  null 8
  {file.write}: ext4
  {char}: null ext4
`);
const matcher = new CallMatcher(graph);
const start = (name: string): number => graph.functions.start[numberOf(graph, name)] as number;
const hex = (address: number): string => BigInt.asUintN(64, BigInt(address)).toString(16);
/** Return address of a function's nth call. */
const after = (name: string, nth: number): number => start(name) + 0x10 + 5 * (nth + 1);
const isText = (): boolean => true;

describe("a call that happened", () => {
  test.each<[number, string, string]>([
    [0, "check", "proven"],
    // The tail jump leaves the outer call's return address.
    [0, "slow", "proven"],
    [0, "log", "direct-elsewhere"],
    [1, "ext4", "typed"],
    [1, "slow", "typed"],
    [1, "null", "not-in-set"],
    [2, "null", "assumed"],
    [2, "slow", "assumed"],
    [3, "odd", "unresolved"],
    [9, "odd", "no-site"],
  ])("write's call %i into %s: %s", (nth, callee, expected) => {
    const match = matcher.matchCall(after("write", nth), numberOf(graph, callee));
    expect(match.found ?? match.reason).toBe(expected);
  });

  test("a jump is no call: nothing returns behind it", () => {
    expect(matcher.matchCall(after("check", 0), numberOf(graph, "slow"))).toMatchObject({ reason: "no-site" });
  });
});

test("the function tracer's pairs", () => {
  const text = `${hex(after("write", 0))} ${hex(start("slow"))} 7
${hex(after("write", 1))} ${hex(start("null"))} 1
7f0000001000 ${hex(start("slow"))} 1
ffffffffc0000010 ffffffffc0001000 3
`;
  const recall = recallOfCalls(matcher, readCalls(text), isText);
  expect(recall).toEqual({
    found: { proven: 1, typed: 0, assumed: 0 },
    misses: [{ at: after("write", 1), callee: start("null"), reason: "not-in-set" }],
    outside: 1,
  });
  expect(recallOf(recall)).toBe(0.5);
});

test("nesting passes through functions that ftrace cannot see, and no others", () => {
  const pair = (caller: string, callee: string, context = "="): string =>
    `${hex(start(caller))} ${hex(start(callee))} ${context} 1`;
  const text = [pair("write", "log"), pair("write", "log", "!"), pair("write", "slow")].join("\n");
  const unseen = (...names: string[]) => {
    const recall = recallOfNestings(
      matcher,
      readNestings(text),
      (f) => !names.includes(graph.functions.name[f] as string),
    );
    return [recall.found.proven, recall.misses.length, recall.outside];
  };
  expect(unseen()).toEqual([0, 2, 1]);
  expect(unseen("check")).toEqual([1, 1, 1]);
  expect(unseen("check", "slow")).toEqual([2, 0, 1]);
});

test("neighbours on a stack; above an interrupt's entry is no caller", () => {
  const line = (addresses: number[]): string => addresses.map(hex).join(" ");
  const text = [
    line([start("log") + 5, after("slow", 0), after("write", 0)]),
    line([start("asm_exc") + 5, start("null")]),
    line([start("null") + 5, after("write", 1)]),
  ].join("\n");
  const { found, misses, outside } = recallOfStacks(matcher, readStacks(text), isText);
  expect([found.proven, misses.map(({ reason }) => reason), outside]).toEqual([2, ["not-in-set"], 1]);
});

describe("the stack tracer", () => {
  const compare = (lines: string) => compareStackTracer(matcher, readStackTracer(lines));
  const TABLE = `        Depth    Size   Location    (4 entries)
        -----    ----   --------
  0)      400       8   log+0x5/0x40
  1)      392      24   slow+0x15/0x40
  2)      368      48   write+0x15/0x40
`;

  test("frames and their sizes", () => {
    const { recall, sizes } = compare(`${TABLE}  3)      320      99   write+0x1a/0x40
  4)      221     221   write+0x15/0x40 [other]
`);
    expect(recall.found).toEqual({ proven: 2, typed: 0, assumed: 0 });
    expect(recall.misses.map(({ reason }) => reason)).toEqual(["not-in-set"]);
    expect(sizes.equal).toBe(2);
    expect(sizes.differences).toEqual([{ at: after("write", 1), observed: 99, expected: 56 }]);
  });

  test("depths are those of the frame that begins above the return address", () => {
    const { chains } = compare(`${TABLE}  3)      320     320   write+0x1a/0x40\n`);
    const [chain] = chains;
    expect(chain?.fromTop).toBe(true);
    expect(chain?.frames.map(({ f, above }) => `${graph.functions.name[f]} ${above}`)).toEqual([
      "write 312",
      "slow 360",
      "log 384",
    ]);
  });

  test("a table that changes while it is read is two, of which the first does not reach the top", () => {
    const { recall, chains } = compare(`${TABLE}  3)      900     900   odd+0x15/0x40\n`);
    expect(recall.misses).toEqual([]);
    expect(chains.map(({ fromTop }) => fromTop)).toEqual([false]);
  });

  test("an older copy of a return address in the frame below, found first: two sizes wrong by as much", () => {
    const lines = TABLE.replace("392      24 ", "392       8 ").replace("368      48 ", "384      64 ");
    const { sizes, displaced } = compare(`${lines}  3)      320     320   write+0x1a/0x40\n`);
    expect([sizes.equal, sizes.differences, displaced]).toEqual([2, [], 1]);
  });

  test("an interrupt's entry is called by nobody, and registers are no frame of a call", () => {
    const { recall, sizes, chains } = compare(`  0)      400       8   log+0x5/0x40
  1)      392      24   slow+0x15/0x40
  2)      368      99   asm_exc+0x2/0x40
  3)      269      48   write+0x12/0x40
  4)      221     221   write+0x15/0x40
`);
    expect(recall.outside).toBe(1);
    expect(sizes.differences).toEqual([]);
    expect(chains.map(({ fromTop, frames }) => `${fromTop} ${frames.length}`)).toEqual(["true 1", "false 3"]);
  });
});

test("how many functions are behind an indirect call", () => {
  expect(precisionOf(graph)).toMatchObject({
    indirectSites: 3,
    narrowed: { sites: 2, mean: 1.5, largest: 2 },
    prototypeOnly: { sites: 1, mean: 2, largest: 2 },
    typed: { sites: 1, mean: 1, largest: 1 },
    unresolved: 1,
  });
});
