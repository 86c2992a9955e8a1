import { describe, expect, test } from "vitest";
import type { CType } from "../../types/type-provider.ts";
import { type BudgetProgram, createBudget } from "../budget.ts";
import { budgetProgram } from "../budget-program.fixture.ts";
import { graphOf } from "../call-graph.fixture.ts";
import type { CallGraph } from "../call-graph.ts";
import { argumentsOnStack, errorKind, parsePoints } from "./candidates.ts";
import { HOOK_BYTES, makePlan } from "./plan.ts";

const INT: CType = { kind: "int", name: "int", size: 4, signed: true };
const LONG: CType = { kind: "int", name: "long", size: 8, signed: true };
const POINTER: CType = { kind: "pointer", size: 8, target: { kind: "void" } };
const struct = (size: number): CType => ({ kind: "struct", name: "s", size, members: [] });
const prototype = (returns: CType, ...types: CType[]) =>
  ({ kind: "function", returns, parameters: types.map((type) => ({ name: "", type })) }) as const;

const NOP = [0x0f, 0x1f, 0x44, 0x00, 0x00, 0x55, 0x53, 0x51, 0x52];
const ENDBR_NOP = [0xf3, 0x0f, 0x1e, 0xfa, ...NOP.slice(0, 5)];
const PUSH = [0x55, 0x53, 0x51, 0x52, 0x55, 0x53, 0x51, 0x52, 0x55];

/** All functions are traceable but those named; all return long and take one pointer. */
function programOf(graph: CallGraph, untraceable: readonly string[] = []): BudgetProgram {
  const types = { func: (name: string) => prototype(name.startsWith("void") ? { kind: "void" } : LONG, POINTER) };
  return budgetProgram({
    memory: {
      u64: () => null,
      read: (address: bigint) => {
        const f = graph.functions.start.indexOf(Number(BigInt.asIntN(32, address)));
        const name = graph.functions.name[f] as string;
        return Uint8Array.from(untraceable.includes(name) ? PUSH : f % 2 === 0 ? NOP : ENDBR_NOP);
      },
    },
    types,
    moduleTypes: () => types,
  });
}

/** A write through a stack of file systems, too deep for 16 KiB. */
const STACKED = graphOf(`
  __x64_sys_write 40: vfs_write+40
  vfs_write 80: *file_operations.write_iter+72
  upper_write@upper 4000: vfs_iter_write+4000, mutex_lock+3000
  vfs_iter_write 60: *file_operations.write_iter+60
  lower_write@lower 7000: block_write+7000
  block_write 3000: submit_bio_noacct+2900, mutex_lock+2900
  submit_bio_noacct 2000: driver+1900
  driver 2500:
  mutex_lock 100:
  {file_operations.write_iter}: upper_write@upper lower_write@lower
`);

describe("a plan", () => {
  const plan = makePlan(createBudget(programOf(STACKED), STACKED));

  test("has the points that keep every segment within the limits", () => {
    expect(plan.points.map((point) => [point.name, point.returns])).not.toEqual([]);
    expect(plan.unfixable).toEqual([]);
    for (const segment of plan.longestSegments) expect(segment.bytes).toBeLessThanOrEqual(segment.limitBytes);
    expect(plan.optimal).toBe(true);
  });

  test("the threshold is what the longest segment from a point leaves of the stack", () => {
    const longest = Math.max(...plan.points.map((point) => point.segmentBytes));
    const room = plan.stackBytes - plan.reserveBytes - longest;
    expect(plan.thresholdBytes).toBeLessThanOrEqual(room);
    expect(plan.thresholdBytes).toBeGreaterThan(room - 16);
  });

  test("a segment to a point has what the point takes before it switches", () => {
    const toPoint = plan.longestSegments.find((segment) => segment.end !== null);
    expect(toPoint?.path.at(-1)?.bytes).toBe(HOOK_BYTES);
    const sum = (toPoint?.path ?? []).reduce((total, step) => total + step.bytes, 0);
    expect(sum).toBe((toPoint?.bytes ?? 0) - (toPoint?.from === "entry" ? 168 : 0));
  });

  test("what cannot be hooked is no point, and what then nothing helps is said", () => {
    const names = ["vfs_write", "vfs_iter_write", "submit_bio_noacct", "lower_write", "upper_write"];
    const none = makePlan(createBudget(programOf(STACKED, names), STACKED));
    expect(none.points).toEqual([]);
    expect(none.candidateCount).toBe(0);
    // The entry is a file operation as well, with less above it.
    expect(none.unfixable[0]).toMatchObject({ start: "__x64_sys_write", end: null, cause: "coarse" });
  });

  test("of functions with one name none is a point: a hook would take them all", () => {
    const graph = graphOf("__x64_sys_write 9000: vfs_write+9000\n vfs_write 7000:\n vfs_write@other 9:");
    const budget = createBudget(programOf(graph), graph);
    expect(makePlan(budget).points).toEqual([]);
    const refused = expect.objectContaining({ message: expect.stringMatching(/several functions have its name/) });
    expect(() => makePlan(budget, { allow: [{ name: "vfs_write", returns: null }] })).toThrow(refused);
  });

  test("denied names that no function has are told", () => {
    const budget = createBudget(programOf(STACKED), STACKED);
    const { notes } = makePlan(budget, { deny: ["vfs_raed", "vfs_write"] });
    expect(notes).toContain("denied, but no function of this kernel: vfs_raed");
  });

  test.each(["constructor.includes", "__proto__.x", "toString"])("a slot called %s is none that is known", (label) => {
    const graph = graphOf(`entry 9000: *${label}+9000\n f 9000: toString+9000\n toString 9000:\n {${label}}: f`);
    expect(makePlan(createBudget(programOf(graph), graph, { entries: ["entry"] })).candidateCount).toBe(0);
  });

  test("denied points are not chosen, allowed ones may be", () => {
    const budget = createBudget(programOf(STACKED), STACKED);
    const deny = plan.points.map((point) => point.name);
    const other = makePlan(budget, { deny, allow: [{ name: "block_write", returns: null }] });
    expect(other.points.map((point) => point.name)).not.toEqual(expect.arrayContaining(deny));
    expect(other.candidateCount).toBeGreaterThan(0);
  });

  test.each([
    ["a function that ftrace cannot hook", "driver", /cannot hook/],
    ["one that returns nothing", "void_one", /not known to return an error/],
  ])("%s cannot be allowed", (_, name, message) => {
    const graph = graphOf("__x64_sys_write 40: driver+40, void_one+40\n driver 80:\n void_one 9:");
    const budget = createBudget(programOf(graph, ["driver"]), graph);
    expect(() => makePlan(budget, { allow: [{ name, returns: null }] })).toThrow(
      expect.objectContaining({ code: "SPW_PLAN_BAD_POINT", message: expect.stringMatching(message) }),
    );
  });

  test("recursion with a point on it is bounded; without one it is listed", () => {
    const graph = graphOf(`
      __x64_sys_write 40: vfs_write+3000, spin+40
      vfs_write 80: stacked+7000
      stacked 80: vfs_write+3000, deep+6000
      spin 50: spin+50
    `);
    const { points, cyclesLeft } = makePlan(createBudget(programOf(graph), graph), { thresholdBytes: 2048 });
    expect(points.map((point) => point.name)).toEqual(["vfs_write"]);
    expect(cyclesLeft).toEqual([
      { functionCount: 1, functions: ["spin"], cutEdgeCount: 1, withoutCandidate: true, roundBytes: 50 },
    ]);
  });

  test("no room", () => {
    const budget = createBudget(programOf(STACKED), STACKED);
    expect(() => makePlan(budget, { stackBytes: 1000, reserveBytes: 1000 })).toThrow(
      expect.objectContaining({ code: "SPW_PLAN_NO_ROOM" }),
    );
  });
});

describe("which functions may be points", () => {
  test.each([
    ["six pointers", prototype(INT, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER), null],
    ["seven", prototype(INT, ...new Array(7).fill(POINTER)), /more arguments/],
    [
      "a struct in two registers and five more",
      prototype(INT, struct(16), ...new Array(5).fill(INT)),
      /more arguments/,
    ],
    ["a struct in two registers and four more", prototype(INT, struct(16), ...new Array(4).fill(INT)), null],
    ["a large struct", prototype(INT, struct(24)), /struct on the stack/],
    ["a variable number", prototype(INT, POINTER, { kind: "void" }), /variable number/],
    ["a double", prototype(INT, { kind: "float", name: "double", size: 8 }), /floating/],
  ] as const)("%s", (_, type, expected) => {
    const reason = argumentsOnStack(type);
    if (expected === null) expect(reason).toBeNull();
    else expect(reason).toMatch(expected);
  });

  test.each<[string, CType, string | null]>([
    ["int", INT, "int"],
    ["ssize_t", { kind: "typedef", name: "ssize_t", target: LONG }, "long"],
    ["a pointer", POINTER, "pointer"],
    ["void", { kind: "void" }, null],
    ["bool", { kind: "int", name: "_Bool", size: 1, signed: false }, null],
    ["unsigned", { kind: "int", name: "unsigned int", size: 4, signed: false }, null],
  ])("%s reports an error as %s", (_, type, expected) => {
    expect(errorKind(type)).toBe(expected);
  });

  test.each([
    [
      "vfs_read, foo:int,bar:ptr",
      [
        ["vfs_read", null],
        ["foo", "int"],
        ["bar", "pointer"],
      ],
    ],
    ["submit_bio_noacct:bio", [["submit_bio_noacct", "bio"]]],
  ] as const)("%s", (list, expected) => {
    expect(parsePoints(list).map(({ name, returns }) => [name, returns])).toEqual(expected);
  });

  test.each(["foo:void", "foo:constructor", "9", "a b", "*"])("%s is refused", (list) => {
    expect(() => parsePoints(list)).toThrow(expect.objectContaining({ code: "SPW_PLAN_BAD_POINT" }));
  });
});

describe("recursion", () => {
  /** A file system on files: each write goes into the next one's, as deep as somebody stacks them. */
  const ROUND = graphOf(`
    __x64_sys_write 40: vfs_write+40
    vfs_write 80: *file_operations.write_iter+72
    stacked_write@stacked 600: kernel_write+580
    kernel_write 60: *file_operations.write_iter+60, mutex_lock+60
    mutex_lock 100:
    {file_operations.write_iter}: stacked_write@stacked
  `);
  const planOf = (recursion: boolean) => makePlan(createBudget(programOf(ROUND), ROUND), { recursion });

  test("is assumed not to happen, and told", () => {
    const plan = planOf(false);
    expect(plan.points).toEqual([]);
    expect(plan.cyclesLeft.map(({ functions }) => functions.toSorted())).toEqual([["kernel_write", "stacked_write"]]);
  });

  test("is bounded where asked for: by a point at the known entry point on the cycle, and none at those beside it", () => {
    const plan = planOf(true);
    expect(plan.points.map(({ name, segmentBytes }) => [name, segmentBytes])).toEqual([
      ["kernel_write", 60 + 580 + HOOK_BYTES],
    ]);
    expect(plan.cyclesLeft).toEqual([]);
    expect(plan.lowerBound).toBe(1);
    // No round can exceed a stack: what is left to a point is what no segment needs.
    expect(plan.thresholdBytes).toBe((16384 - 1024 - (60 + 580 + HOOK_BYTES)) & ~15);
  });

  test("whose rounds are longer than a stack leaves the threshold that is aimed at, half of the stack", () => {
    const plan = makePlan(createBudget(programOf(ROUND), ROUND), {
      recursion: true,
      deny: ["stacked_write"],
      stackBytes: 1536,
      reserveBytes: 512,
    });
    expect(plan.unfixable.map(({ from, start }) => [from, start])).toContainEqual(["point", "kernel_write"]);
    expect(plan.thresholdBytes).toBe(768);
  });
});
