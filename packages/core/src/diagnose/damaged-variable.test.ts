import { describe, expect, test } from "vitest";
import type { DebugInfo, FrameState, Variable } from "../debuginfo/debug-info.ts";
import { STACK_HIGH, TASK, tinyKernel } from "../testing/tiny-kernel.ts";
import type { CType } from "../types/type-provider.ts";
import { follow } from "../unwind/unwind.ts";
import { unwindContext } from "../unwind/unwind-context.ts";
import { nameDamagedVariable } from "./damaged-variable.ts";
import { EvidenceLog } from "./evidence.ts";
import type { CrashFacts } from "./facts.ts";

// parse(): a frame of 120 bytes, its canary at 0x58(%rsp); called by entry.
const FUNCTIONS = [
  { name: "entry", code: "4883ec08 e807000000 4883c408 c3 cccc" },
  {
    name: "parse",
    code: `4154 53 4883ec60 65488b042528000000 4889442458 31c0 488d7c2418 be40000000 e81d000000
           488b542458 65482b142528000000 7508 4883c460 5b 415c c3 e804000000`,
  },
  { name: "helper", code: "c60700 c3" },
  { name: "__stack_chk_fail", code: "55 0f0b" },
];
const SP = STACK_HIGH - 0x200n;
const SLOT = SP + 0x58n;

const CHAR: CType = { kind: "int", name: "char", size: 1, signed: true };
const INT: CType = { kind: "int", name: "int", size: 4, signed: true };
const chars = (length: number): CType => ({ kind: "array", size: length, length, element: CHAR });
const pair: CType = { kind: "struct", name: "pair", size: 16, members: [] };

/** A variable `offset` bytes above the frame's RSP. */
function variable(name: string, type: CType, offset: number, func = "parse"): Variable {
  const size = "size" in type ? type.size : null;
  const place = { kind: "memory", address: SP + BigInt(offset) } as const;
  return { name, kind: "local", function: func, type, size, place, declared: null };
}

interface Case {
  readonly variables: readonly Variable[];
  /** Where the data were seen to begin, above RSP; null where they were not. */
  readonly data?: number;
  /** First byte known to be overwritten, above RSP; the canary slot by default. */
  readonly start?: number;
  readonly kind?: "stack-buffer-overflow" | "foreign-write";
  readonly debugInfo?: boolean;
}

function name({ variables, data, start = 0x58, kind = "stack-buffer-overflow", debugInfo = true }: Case) {
  const { at } = tinyKernel({ functions: FUNCTIONS });
  const stack = { [(SP + 0x70n).toString()]: at("entry", 9) };
  const { kernel } = tinyKernel({ functions: FUNCTIONS, stack, entries: ["entry"] });
  const states: FrameState[] = [];
  const info = {
    cfi: { find: () => null },
    stackVariablesAt(state: FrameState) {
      states.push(state);
      return variables;
    },
  } as unknown as DebugInfo;
  Object.assign(kernel, { debugInfo: debugInfo ? info : null });
  const context = unwindContext(kernel);
  const walked = follow(context, { pc: at("parse", 0x43), exact: false, sp: SP, registers: new Map() });
  const evidence = new EvidenceLog();
  if (data !== undefined) evidence.add("damage-starts-in-frame", SP + BigInt(data), "It begins in the frame.");
  const trace = { task: TASK, cpu: 0, source: "note" as const, ...walked };
  const facts = { kernel, context, evidence, trace, frames: walked.frames } as unknown as CrashFacts;
  const hex = (offset: number) => `0x${(SP + BigInt(offset)).toString(16)}`;
  const corruption = { start: hex(start), end: hex(start + 16), bytes: 16, pattern: null, canary: null };
  const named = nameDamagedVariable(facts, { kind, corruption });
  return { named: named?.variable, said: evidence.items.find((one) => one.id === "variable-hit")?.text, states };
}

const range = (low: number, high: number) =>
  `from 0x${(SP + BigInt(low)).toString(16)} to 0x${(SP + BigInt(high)).toString(16)}`;

describe("the variable that the damage began in", () => {
  const buffer = variable("text", chars(32), 0x38);

  test("is the buffer that ends at the canary", () => {
    const { named, said, states } = name({ variables: [variable("key", INT, 0x10), buffer], data: 0x38 });
    expect(named).toEqual({
      name: "text",
      type: "char [32]",
      function: "parse",
      low: `0x${(SP + 0x38n).toString(16)}`,
      high: `0x${SLOT.toString(16)}`,
    });
    expect(said).toBe(
      `The bytes known to be overwritten begin at the end of \`char text[32]\` of parse, which lies ${range(0x38, 0x58)}; the data begin at its start and go on for 48 bytes, where 32 fit.`,
    );
    expect(states[0]).toMatchObject({ sp: SP, cfa: SP + 0x78n, afterCall: true });
  });

  test("is the one that the data begin in, not the one that they run over", () => {
    const { named, said } = name({ variables: [buffer, variable("name", chars(16), 0x28)], data: 0x2c });
    expect(named?.name).toBe("name");
    expect(said).toContain("the data begin 4 bytes into it and go on for 60 bytes, where 12 fit");
  });

  test("is the one that holds the first overwritten byte", () => {
    const { named, said } = name({ variables: [buffer], start: 0x40, kind: "foreign-write" });
    expect(named?.name).toBe("text");
    expect(said).toBe(`The damage begins 8 bytes into \`char text[32]\` of parse, which lies ${range(0x38, 0x58)}.`);
  });

  test.each<[string, Variable[], string | undefined]>([
    ["a buffer with padding above it", [variable("text", chars(20), 0x38)], "text"],
    ["a buffer further down", [variable("text", chars(8), 0x38)], undefined],
    ["of two in one place the array", [variable("pair", pair, 0x48), variable("text", chars(16), 0x48)], "text"],
    ["the struct before the number", [variable("key", INT, 0x54), variable("pair", pair, 0x48)], "pair"],
    ["nothing that lies above", [variable("text", chars(8), 0x60)], undefined],
    ["nothing where there are none", [], undefined],
  ])("where only the canary was hit: %s", (_what, variables, expected) => {
    expect(name({ variables }).named?.name).toBe(expected);
  });

  test("is not what lies below, for a write from elsewhere", () => {
    expect(name({ variables: [buffer], kind: "foreign-write" }).named).toBeUndefined();
  });

  test("is not asked for without debug information, nor outside the frames", () => {
    expect(name({ variables: [buffer], debugInfo: false }).named).toBeUndefined();
    expect(name({ variables: [buffer], start: -0x100 }).states).toEqual([]);
  });
});
