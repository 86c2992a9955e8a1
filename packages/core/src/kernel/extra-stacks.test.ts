import { expect, test } from "vitest";
import type { KernelModule } from "../symbols/symbol-table.ts";
import { fakeContext } from "./context.fixture.ts";
import { readExtraStacks } from "./extra-stacks.ts";
import { FakeMemory, fakeSymbols } from "./memory.fixture.ts";

const LAYOUT = 0xffff_ffff_c000_1000n;
const TABLE = 0xffff_ffff_c000_2000n;
const OBJECTS = 0xffff_8880_0000_1000n;
const STACK = 0xffff_c900_0010_0000n;
const TASK = 0xffff_8880_0123_4000n;
/** The module's counters: a pointer to them, what each CPU adds to that, how many points, where the arrays are. */
const COUNTS = { pointer: 0xffff_ffff_c000_5000n, highWater: 0xffff_ffff_c000_5008n, perCpu: 0x1_e000n };
const POINTS = 3;
const CPUS = [{ perCpuOffset: 0xffff_8880_1000_0000n }, { perCpuOffset: 0xffff_8880_1004_0000n }];

/** struct spw_stack as the module of version 1 lays it out. */
const FIELDS = { top: 0, owner: 8, prev_sp: 16, level: 32, point: 36, cpu: 44 };

interface Slot {
  readonly owner: bigint;
  readonly level?: number;
  /** Its description is not in the dump. */
  readonly lost?: boolean;
}

function pool(slots: readonly (Slot | null)[], change: (layout: DataView) => void = () => {}) {
  const memory = new FakeMemory();
  const layout = memory.map(LAYOUT, 80);
  memory.writeText(LAYOUT, "spillway");
  const words = [1, 16384, 0, 0, slots.length, ...Object.values(FIELDS)];
  for (const [index, word] of words.entries()) layout.setUint32(8 + 4 * index, word, true);
  layout.setBigUint64(16, TABLE, true);
  layout.setUint32(52, POINTS, true);
  layout.setBigUint64(56, COUNTS.pointer, true);
  layout.setBigUint64(64, COUNTS.highWater, true);
  layout.setUint32(72, 0, true);
  layout.setUint32(76, 8 * POINTS, true);
  memory.map(COUNTS.pointer, 16);
  memory.write64(COUNTS.pointer, COUNTS.perCpu);
  memory.write32(COUNTS.highWater, 7);
  for (const [cpu, { perCpuOffset }] of CPUS.entries()) {
    const at = perCpuOffset + COUNTS.perCpu;
    memory.map(at, 16 * POINTS);
    // Point 0's are the self-test's and count for nothing.
    for (const [index, count] of [99, 10 + cpu, 20, 99, 1, 2 + cpu].entries())
      memory.write64(at + BigInt(8 * index), BigInt(count));
  }
  change(layout);
  memory.map(TABLE, 8 * Math.max(1, slots.length));
  memory.map(OBJECTS, 4096);
  for (const [index, slot] of slots.entries()) {
    if (slot === null) continue;
    const at = slot.lost ? 0xffff_8880_7777_0000n : OBJECTS + BigInt(index * 128);
    memory.write64(TABLE + BigInt(8 * index), at);
    if (slot.lost) continue;
    memory.write64(at + BigInt(FIELDS.top), STACK + BigInt((index + 1) * 0x8000));
    memory.write64(at + BigInt(FIELDS.owner), slot.owner);
    memory.write64(at + BigInt(FIELDS.prev_sp), 0xffff_c900_0000_1f00n);
    memory.write32(at + BigInt(FIELDS.level), slot.level ?? 0);
  }
  const spillway = { name: "spillway" } as KernelModule;
  return { ...fakeContext({ memory }), symbols: fakeSymbols({ spw_layout: LAYOUT }, [spillway]) };
}

test("a pool with a stack in use, a free one, an empty slot, one that is being removed and one that is lost", () => {
  const context = pool([{ owner: TASK, level: 1 }, { owner: 0n }, null, { owner: 1n }, { owner: 0n, lost: true }]);
  const { stacks, unreadable, use } = readExtraStacks(context, 16384, CPUS)!;
  expect(
    stacks.map(({ range, owner, level }) => [range.kind, range.low, range.high, range.task, owner, level]),
  ).toEqual([
    ["extra", STACK + 0x4000n, STACK + 0x8000n, TASK, TASK, 1],
    ["extra", STACK + 0xc000n, STACK + 0x10000n, null, null, 0],
    ["extra", STACK + 0x1c000n, STACK + 0x20000n, null, null, 0],
  ]);
  expect(stacks[0]!.previousSp).toBe(0xffff_c900_0000_1f00n);
  expect(unreadable).toBe(1);
  expect(use).toEqual({ highWater: 7, switches: 10n + 20n + 11n + 20n, refusals: 1n + 2n + 1n + 3n });
  expect(context.problems).toEqual([]);
});

test("counters that are not in the dump, or make no sense, are not made up", () => {
  const elsewhere = [...CPUS, { perCpuOffset: 0xffff_8880_7000_0000n }];
  expect(readExtraStacks(pool([{ owner: TASK }]), 16384, elsewhere)).toMatchObject({ stacks: [{}], use: null });
  const senseless = pool([{ owner: TASK }], (layout) => layout.setUint32(52, 0x7fffffff, true));
  expect(readExtraStacks(senseless, 16384, CPUS)).toMatchObject({ stacks: [{}], use: null });
});

test.each<[string, (layout: DataView) => void]>([
  ["another magic", (layout) => layout.setUint8(0, 0x53)],
  ["a later version", (layout) => layout.setUint32(8, 2, true)],
  ["too many slots", (layout) => layout.setUint32(24, 100_000, true)],
  ["a field far outside", (layout) => layout.setUint32(32, 65536, true)],
])("%s is said, and no stacks are made up", (_, change) => {
  const context = pool([{ owner: TASK }], change);
  expect(readExtraStacks(context, 16384, CPUS)).toBeNull();
  expect(context.problems).toEqual([
    "the pool of extra stacks (spillway.ko) is described in a way that is not known here",
  ]);
});

test("without the module there is nothing to say; with a layout that is not in the dump there is", () => {
  expect(readExtraStacks(fakeContext({ symbols: { spw_layout: LAYOUT } }), 16384, CPUS)).toBeNull();
  const context = { ...pool([]), memory: new FakeMemory() };
  expect(readExtraStacks(context, 16384, CPUS)).toBeNull();
  expect(context.problems).toEqual(["the pool of extra stacks (spillway.ko) cannot be read from this dump"]);
});
