import { describe, expect, it, test } from "vitest";
import type { DebugInfo, Variable } from "../debuginfo/debug-info.ts";
import type { Diagnosis } from "../diagnose/diagnosis.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { CANARY, STACK_HIGH, STACK_LOW, TASK, tinyKernel } from "../testing/tiny-kernel.ts";
import { follow } from "../unwind/unwind.ts";
import { unwindContext } from "../unwind/unwind-context.ts";
import { type StackMapOptions, stackMap } from "./stack-map.ts";

// entry calls guarded, which pushes RBX, takes 16 bytes, keeps its canary at RSP+8 and calls leaf.
const FUNCTIONS = [
  { name: "entry", code: "4883ec08 e807000000 4883c408 c3 cccc" },
  {
    name: "guarded",
    code:
      "53 4883ec10 65488b042528000000 4889442408 e828000000" + // push %rbx … mov %gs:0x28,%rax; mov %rax,8(%rsp); call leaf
      "488b442408 65482b042528000000 7506 4883c410 5b c3 e81d000000" + // … sub %gs:0x28,%rax; jne; … call __stack_chk_fail
      "cccccccccccccccccccccccccc",
  },
  { name: "leaf", code: "4883ec08 f390 4883c408 c3 cccccccccc" },
  { name: "__stack_chk_fail", code: "f390 0f0b" },
];

/** entry's RSP at its call. Below it, downwards: return address, RBX, canary, a local; return address, a local. */
const ENTRY_SP = STACK_HIGH - 0x40n;
const MAGIC = 0x57ac6e9dn;
const hex = (value: bigint): string => `0x${value.toString(16)}`;

interface Options {
  /** Words that stand there instead, by address. */
  readonly words?: readonly (readonly [address: bigint, value: bigint])[];
  /** [start, end) of the damage. */
  readonly damage?: readonly [bigint, bigint];
  readonly evidence?: Diagnosis["evidence"];
  readonly leafSp?: bigint;
  readonly map?: StackMapOptions;
  readonly change?: (kernel: Kernel) => Partial<Kernel>;
}

function mapped(options: Options = {}) {
  const { at } = tinyKernel({ functions: FUNCTIONS });
  const words = new Map<bigint, bigint>([
    [STACK_LOW, MAGIC],
    [ENTRY_SP - 0x08n, at("entry", 9)],
    [ENTRY_SP - 0x10n, 0xbbbbn],
    [ENTRY_SP - 0x18n, CANARY],
    [ENTRY_SP - 0x20n, 0x1234n],
    [ENTRY_SP - 0x28n, at("guarded", 24)],
    ...(options.words ?? []),
  ]);
  const stack = Object.fromEntries([...words].map(([address, value]) => [address.toString(), value]));
  const tiny = tinyKernel({ functions: FUNCTIONS, stack, entries: ["entry"] }).kernel;
  const types = { member: () => ({ offset: 0 }) } as unknown as Kernel["types"];
  const kernel: Kernel = { ...tiny, types, debugInfo: null, ...options.change?.(tiny) };
  const leaf = { pc: at("leaf", 4), exact: true, sp: options.leafSp ?? ENTRY_SP - 0x30n, registers: new Map() };
  const trace = { task: TASK, cpu: 0, source: "note" as const, ...follow(unwindContext(kernel), leaf) };
  const diagnosis = {
    stack: { kind: "task", low: hex(STACK_LOW), high: hex(STACK_HIGH), usedBytes: 0 },
    frames: trace.frames.map((frame) => ({ sp: hex(frame.sp), address: hex(frame.address), inlined: false })),
    corruption: options.damage ? { start: hex(options.damage[0]), end: hex(options.damage[1]) } : null,
    evidence: options.evidence ?? [],
  } as unknown as Diagnosis;
  const map = stackMap(kernel, diagnosis, { trace, ...options.map });
  const [only] = map.stacks;
  const all = only!.regions.flatMap((region) => region.words);
  /** The word at an address, `kind: label (state)`. */
  const word = (address: bigint): string => {
    const found = all.find((one) => one.address === hex(address))!;
    return `${found.kind}: ${found.label}${found.state === null ? "" : ` (${found.state})`}`;
  };
  const regions = only!.regions.map((region) => `${region.kind} ${region.bytes} ${region.label}`);
  return { map, stack: only!, regions, word, all, at };
}

test("a whole stack is mapped end to end, from the guard page to the top", () => {
  const { regions, stack, map } = mapped();
  expect(regions).toEqual([
    "guard 4096 guard page",
    "end-marker 8 STACK_END_MAGIC",
    `untouched ${0x4000 - 8 - 0x70} never used`,
    "frame 16 leaf+0x4",
    "frame 32 guarded+0x18",
    "frame 0 entry+0x9",
    "unclaimed 64 above the outermost frame",
  ]);
  expect(stack).toMatchObject({ kind: "task", verdict: true, guard: "unmapped", usedBytes: 0x70, deepestUse: 0x70 });
  expect(map.stacks).toHaveLength(1);
  for (const [index, region] of stack.regions.entries()) {
    if (index > 0) expect(region.start).toBe(stack.regions[index - 1]!.end);
  }
  expect(stack.regions.at(-1)!.end).toBe(hex(STACK_HIGH));
  expect(stack.regions.filter((region) => region.kind === "frame").map((region) => region.frame)).toEqual([0, 1, 2]);
});

describe("words of frames", () => {
  const A = 0x4141414141414141n;
  const cases: [string, Options, bigint, string][] = [
    ["an intact return address", {}, 0x08n, "return-address: return address: to entry+0x9 (good)"],
    ["one call further in", {}, 0x28n, "return-address: return address: to guarded+0x18 (good)"],
    ["a saved register", {}, 0x10n, "saved-register: saved RBX of the caller"],
    ["an intact canary", {}, 0x18n, "canary: canary, intact (good)"],
    ["a local", {}, 0x20n, "content: the number 4660"],
    [
      "an overwritten canary",
      { words: [[ENTRY_SP - 0x18n, A]] },
      0x18n,
      `canary: canary, overwritten; it was ${hex(CANARY)} (bad)`,
    ],
    [
      "an overwritten return address",
      { words: [[ENTRY_SP - 0x08n, A]] },
      0x08n,
      "return-address: return address, overwritten; it was 0xffffffff81000009, to entry+0x9 (bad)",
    ],
    [
      "a saved register that the damage covers",
      { damage: [ENTRY_SP - 0x18n, ENTRY_SP - 0x0an] },
      0x10n,
      "saved-register: saved RBX of the caller, overwritten (bad)",
    ],
    [
      "the canary that a changed reference left",
      {
        words: [[ENTRY_SP - 0x18n, 0x9900n]],
        change: () => ({ referenceCanary: () => ({ address: 0x28n, value: 0x9900n }) }),
      },
      0x18n,
      "canary: canary: the changed reference, not the task's own",
    ],
  ];
  it.each(cases)("tells %s", (_name, options, depth, expected) => {
    expect(mapped(options).word(ENTRY_SP - depth)).toBe(expected);
  });

  it("shows the instructions behind a word", () => {
    const { all, map } = mapped();
    const code = (depth: bigint) =>
      all.find((word) => word.address === hex(ENTRY_SP - depth))!.code.map((address) => map.code[address]);
    expect(code(0x08n)).toEqual(["call 0xffffffff81000010 <guarded>"]);
    expect(code(0x10n)).toEqual(["push %rbx"]);
    expect(code(0x18n)).toEqual(["mov %rax,0x8(%rsp)", "sub %gs:0x28,%rax"]);
  });
});

describe("below the innermost frame", () => {
  const LEFT = ENTRY_SP - 0x100n;

  it("tells what earlier calls left from what was never used", () => {
    const stale = mapped().at("entry", 9);
    const { regions, word, stack } = mapped({
      words: [
        [LEFT, stale],
        [LEFT + 8n, CANARY],
        [LEFT + 16n, 7n],
      ],
    });
    expect(regions.slice(1, 4)).toEqual([
      "end-marker 8 STACK_END_MAGIC",
      `untouched ${Number(LEFT - STACK_LOW) - 8} never used`,
      `left-over ${0x100 - 0x30} left by earlier calls`,
    ]);
    expect(stack.deepestUse).toBe(Number(STACK_HIGH - LEFT));
    expect(word(LEFT)).toBe("stale-return: stale: returned to entry+0x9");
    expect(word(LEFT + 8n)).toBe("stale-canary: stale: a canary");
    expect(word(LEFT + 16n)).toBe("content: the number 7");
  });

  it("knows no depth where the stack was used to its low end", () => {
    const { regions, stack } = mapped({ words: [[STACK_LOW + 8n, 1n]] });
    expect(stack.deepestUse).toBeNull();
    expect(regions.filter((region) => region.startsWith("untouched"))).toEqual([]);
  });

  it("tells the stackleak plugin's poison from use", () => {
    const poison = 0xffffffffffff4111n;
    const words: [bigint, bigint][] = [];
    for (let address = STACK_LOW + 8n; address < LEFT; address += 8n) words.push([address, poison]);
    const { regions, stack } = mapped({ words });
    expect(regions).toContain(`untouched ${Number(LEFT - STACK_LOW) - 8} never used`);
    expect(stack.deepestUse).toBe(Number(STACK_HIGH - LEFT));
  });

  it("says when the end marker is gone, and how far the same goes on", () => {
    const { word, regions } = mapped({
      words: [0n, 8n, 16n].map((offset) => [STACK_LOW + offset, 0x6b6b6b6bn] as const),
    });
    expect(word(STACK_LOW)).toBe("end-marker: STACK_END_MAGIC was here (bad)");
    expect(regions.slice(1, 3)).toEqual(["end-marker 8 STACK_END_MAGIC", "left-over 16 overwritten with the same"]);
  });

  it("sums up words that hold the same", () => {
    const { all } = mapped();
    const zero = all.find((word) => word.address === hex(STACK_LOW + 8n))!;
    expect(zero).toMatchObject({ kind: "zero", count: (0x4000 - 8 - 0x70) / 8 });
    const words = all.reduce((sum, word) => sum + word.count, 0);
    expect(words).toBe(0x4000 / 8);
  });
});

test("a frame that runs over the low end reaches into the guard page", () => {
  const leafSp = STACK_LOW - 0x20n;
  const { at } = mapped();
  const change = () => ({}) as Partial<Kernel>;
  const { stack } = mapped({ leafSp, change, words: [[leafSp + 8n + 0x20n, at("guarded", 24)]] });
  expect(stack.regions[0]).toMatchObject({ kind: "guard", bytes: 4096 - 0x20 });
  expect(stack.regions[1]).toMatchObject({ kind: "frame", label: "leaf+0x4", start: hex(leafSp) });
  expect(stack.usedBytes).toBe(0x4020);
});

test("damage and evidence stand at the words they are about", () => {
  const slot = ENTRY_SP - 0x18n;
  const evidence = [
    { id: "damage-pattern", address: hex(ENTRY_SP - 0x20n), text: "" },
    { id: "canary-mismatch", address: hex(slot), text: "" },
    { id: "chain-proven", address: null, text: "" },
  ];
  const { all, stack } = mapped({ damage: [slot, slot + 11n], evidence });
  const at = (address: bigint) => all.find((word) => word.address === hex(address))!;
  expect(at(slot)).toMatchObject({ damage: [0, 8], evidence: ["canary-mismatch"], source: false });
  expect(at(slot + 8n)).toMatchObject({ damage: [0, 3], evidence: [] });
  expect(at(slot - 8n)).toMatchObject({ damage: null, source: true, evidence: ["damage-pattern"] });
  expect(stack.regions.filter((region) => region.damaged).map((region) => region.label)).toEqual(["guarded+0x18"]);
  expect(stack.regions.find((region) => region.damaged)!.evidence).toEqual(["damage-pattern", "canary-mismatch"]);
});

test("variables stand where debug information puts them, inside their frame only", () => {
  const at = (address: bigint, name: string): Variable => ({
    name,
    kind: "local",
    function: "guarded",
    type: { kind: "struct", name: "mark", members: [], size: 8 } as unknown as Variable["type"],
    size: 8,
    place: { kind: "memory", address },
    declared: null,
  });
  const debugInfo = {
    variablesAt: (state: { cfa: bigint | null }) =>
      state.cfa === ENTRY_SP ? [at(ENTRY_SP - 0x20n, "mark"), at(STACK_LOW, "elsewhere")] : [],
  } as unknown as DebugInfo;
  const { stack, all } = mapped({ map: { debugInfo } });
  const frame = stack.regions.find((region) => region.label === "guarded+0x18")!;
  expect(frame.variables).toEqual([
    {
      name: "mark",
      type: "struct mark",
      function: "guarded",
      start: hex(ENTRY_SP - 0x20n),
      end: hex(ENTRY_SP - 0x18n),
    },
  ]);
  expect(all.filter((word) => word.variables.length > 0).map((word) => word.address)).toEqual([hex(ENTRY_SP - 0x20n)]);
});

test("memory that is not in the dump is neither untouched nor left over", () => {
  const { regions, all } = mapped({
    change: (kernel) => {
      const read = kernel.memory.readSparse.bind(kernel.memory);
      const faults = [{ reason: "excluded" as const, virtual: STACK_LOW, physical: null }];
      const readSparse = (virtual: bigint, length: number) => ({
        bytes: read(virtual, length).bytes,
        faults: virtual === STACK_LOW ? faults : [],
      });
      return { memory: Object.assign(kernel.memory, { readSparse }) };
    },
  });
  expect(all.slice(0, 2)).toMatchObject([
    { kind: "missing", value: null, count: 1 },
    { kind: "missing", value: null, count: 511 },
  ]);
  expect(regions.slice(1, 4)).toEqual([
    "end-marker 8 STACK_END_MAGIC",
    "unclaimed 4088 not in the dump",
    `untouched ${0x3000 - 0x70} never used`,
  ]);
});
