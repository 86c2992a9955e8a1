import { describe, expect, it } from "vitest";
import { STACK_HIGH, tinyKernel } from "../testing/tiny-kernel.ts";
import type { WalkState } from "./step.ts";
import { follow } from "./unwind.ts";
import { unwindContext } from "./unwind-context.ts";

// entry calls outer, outer calls middle (or *%rax), middle calls inner, inner calls leaf; each has a frame of its own size.
const FUNCTIONS = [
  { name: "entry", code: "4883ec08 e807000000 4883c408 c3 cccc" }, //               call outer at +4, returns to +9
  { name: "outer", code: "4883ec10 e811000000 ffd0 4883c410 c3 cccccccccccccc" }, // call middle at +4 (+9); *%rax (+b)
  { name: "middle", code: "4883ec20 e807000000 4883c420 c3 cccc" }, //              call inner at +4 (+9)
  { name: "inner", code: "4883ec30 e807000000 4883c430 c3 cccc" }, //               call leaf at +4 (+9)
  { name: "leaf", code: "4883ec08 f390 4883c408 c3" },
];

/** Stack as those calls leave it, with the CPU in leaf+4. Return slots, innermost first: */
const LEAF_SLOT = STACK_HIGH - 0x98n;
const SLOTS = { leaf: LEAF_SLOT, inner: LEAF_SLOT + 0x38n, middle: LEAF_SLOT + 0x60n, outer: LEAF_SLOT + 0x78n };

type Overwrite = Partial<Record<keyof typeof SLOTS, (value: bigint) => bigint>>;

function crash(overwrite: Overwrite, options: { through?: "call" | "pointer"; stale?: Record<string, bigint> } = {}) {
  const { at } = tinyKernel({ functions: FUNCTIONS });
  const returns = {
    leaf: at("inner", 9),
    inner: at("middle", 9),
    middle: at("outer", options.through === "pointer" ? 11 : 9),
    outer: at("entry", 9),
  };
  const stack: Record<string, bigint> = { ...options.stale };
  for (const name of Object.keys(SLOTS) as (keyof typeof SLOTS)[]) {
    const change = overwrite[name] ?? ((value: bigint) => value);
    stack[SLOTS[name].toString()] = change(returns[name]);
  }
  const { kernel } = tinyKernel({ functions: FUNCTIONS, stack, entries: ["entry"] });
  const start: WalkState = { pc: at("leaf", 4), exact: true, sp: LEAF_SLOT - 8n, registers: new Map() };
  const result = follow(unwindContext(kernel), start);
  const chain = result.frames.map((frame) => `${frame.function}${frame.certainty === "inferred" ? "?" : ""}`);
  return { ...result, chain };
}

const WHOLE = ["leaf", "inner", "middle", "outer", "entry"];
const garbage = () => 0x4141414141414141n;

describe("follow", () => {
  it("proves every frame of a whole stack", () => {
    expect(crash({})).toMatchObject({ chain: WHOLE, end: "kernel-entry", broken: null });
  });

  const DESTROYED: [string, Overwrite, string[]][] = [
    ["the innermost return address", { leaf: garbage }, ["leaf", "inner?", "middle", "outer", "entry"]],
    ["one in the middle", { inner: garbage }, ["leaf", "inner", "middle?", "outer", "entry"]],
    ["two in a row", { leaf: garbage, inner: garbage }, ["leaf", "inner?", "middle?", "outer", "entry"]],
    [
      "three in a row",
      { leaf: garbage, inner: garbage, middle: garbage },
      ["leaf", "inner?", "middle?", "outer?", "entry"],
    ],
    ["zeroed", { leaf: () => 0n }, ["leaf", "inner?", "middle", "outer", "entry"]],
  ];
  it.each(DESTROYED)("recovers the chain: %s", (_name, overwrite, chain) => {
    const result = crash(overwrite);
    expect(result.chain).toEqual(chain);
    expect(result.end).toBe("kernel-entry");
    expect(result.gap).toBeNull();
    for (const frame of result.frames) expect(frame.why === null).toBe(frame.certainty === "proven");
  });

  it.each([0n, 1n, 2n, 3n, 5n, 7n])("does not believe a return address whose byte %i was changed", (byte) => {
    const result = crash({ inner: (value) => value ^ (0x04n << (byte * 8n)) });
    expect(result.chain).toEqual(["leaf", "inner", "middle?", "outer", "entry"]);
    expect(result.frames[2]!.why).toMatch(/which was changed/);
  });

  it("does not believe a return address of another call, even a real one", () => {
    // As if the overwrite left the return address of entry's call: it follows a call, but not one of inner.
    const { at } = tinyKernel({ functions: FUNCTIONS });
    const result = crash({ inner: () => at("entry", 9) });
    expect(result.chain).toEqual(["leaf", "inner", "middle?", "outer", "entry"]);
  });

  it("reaches through a function pointer by the frame's size", () => {
    const result = crash({ middle: garbage }, { through: "pointer" });
    expect(result.chain).toEqual(["leaf", "inner", "middle", "outer?", "entry"]);
  });

  it("takes no stale return address for a frame", () => {
    // inner's locals still hold a return address into outer from an earlier call.
    const { at } = tinyKernel({ functions: FUNCTIONS });
    const stale = { [(SLOTS.leaf + 0x10n).toString()]: at("outer", 9) };
    expect(crash({}, { stale }).chain).toEqual(WHOLE);
    expect(crash({ leaf: garbage }, { stale }).chain).toEqual(["leaf", "inner?", "middle", "outer", "entry"]);
  });

  it("follows the only direct callers where nothing at all is left, and says of each frame that it is inferred", () => {
    const result = crash({ leaf: garbage, inner: garbage, middle: garbage, outer: garbage });
    expect(result.chain).toEqual(["leaf", "inner?", "middle?", "outer?", "entry?"]);
  });

  it("says where it lost the way when a pointer was called and nothing above is left", () => {
    const lone = [{ name: "leaf", code: "4883ec08 f390 4883c408 c3" }];
    const { kernel, at } = tinyKernel({ functions: lone, stack: { [LEAF_SLOT.toString()]: garbage() } });
    const result = follow(unwindContext(kernel), {
      pc: at("leaf", 4),
      exact: true,
      sp: LEAF_SLOT - 8n,
      registers: new Map(),
    });
    expect(result).toMatchObject({ end: "lost", stopped: "0x4141414141414141 is not code" });
  });

  it("finds a frame that was entered in its middle: the return address lies inside what seems the frame", () => {
    // middle calls *%rax, which leads into inner+4, behind its prologue: no frame of inner's own was made.
    const functions = [
      { name: "entry", code: "4883ec08 e807000000 4883c408 c3 cccc" },
      { name: "middle", code: "4883ec60 ffd0 4883c460 c3" },
      { name: "inner", code: "4883ec30 f390 4883c430 c3" },
    ];
    const top = STACK_HIGH - 0x100n;
    const { at } = tinyKernel({ functions });
    const stack = {
      [top.toString()]: at("middle", 6),
      [(top + 0x68n).toString()]: at("entry", 9),
      // What inner's unwind data take for its return address is a local of middle's.
      [(top + 0x30n).toString()]: 0x6262626262626262n,
    };
    const { kernel } = tinyKernel({ functions, stack, entries: ["entry"] });
    const result = follow(unwindContext(kernel), { pc: at("inner", 4), exact: true, sp: top, registers: new Map() });
    expect(result.frames.map((frame) => frame.function)).toEqual(["inner", "middle", "entry"]);
    expect(result.displaced).toBe(top + 8n);
  });

  it("finds a frame whose pushes and pops do not balance: the return address lies above", () => {
    const result = crash({ inner: garbage }, { stale: {} });
    expect(result.displaced).toBeNull();
    // leaf's return slot holds a saved register; its true return address is one word up.
    const { at } = tinyKernel({ functions: FUNCTIONS });
    const shifted: Record<string, bigint> = { [LEAF_SLOT.toString()]: 0x1234n };
    const up = (slot: bigint) => (slot + 8n).toString();
    Object.assign(shifted, {
      [up(SLOTS.leaf)]: at("inner", 9),
      [up(SLOTS.inner)]: at("middle", 9),
      [up(SLOTS.middle)]: at("outer", 9),
      [up(SLOTS.outer)]: at("entry", 9),
    });
    const { kernel } = tinyKernel({ functions: FUNCTIONS, stack: shifted, entries: ["entry"] });
    const start: WalkState = { pc: at("leaf", 4), exact: true, sp: LEAF_SLOT - 8n, registers: new Map() };
    const moved = follow(unwindContext(kernel), start);
    expect(moved.frames.map((frame) => frame.function)).toEqual(WHOLE);
    expect(moved.displaced).toBe(LEAF_SLOT + 16n);
  });
});
