import { describe, expect, it } from "vitest";
import { FakeMemory, FakePageTables, type MappedSize } from "../memory/testing/fake-machine.ts";
import { UserTables } from "./user-tables.ts";

const KERNEL_4 = 0xffff888000000000n;
const KERNEL_5 = 0xff11000000000000n;
const HIGHEST_USER_4 = 0x7ffffffff000n;
const HIGHEST_USER_5 = 0xfffffffffff000n;

interface Mapping {
  readonly virtual: bigint;
  readonly physical: bigint;
  readonly size?: MappedSize;
  readonly flags?: bigint;
}

function walked(levels: 4 | 5, mappings: readonly Mapping[], frames: readonly number[]): UserTables {
  const memory = new FakeMemory(1 << 22);
  const tables = new FakePageTables(memory, 0x100, levels);
  for (const { virtual, physical, size, flags } of mappings) tables.map(virtual, physical, size, flags);
  const user = new UserTables(memory, frames, 0n, () => {});
  user.walk(0x100, levels);
  return user;
}

describe("frames that user page tables map", () => {
  it.each<[string, 4 | 5, Mapping, readonly number[], readonly number[]]>([
    ["a small page", 4, { virtual: 0x400000n, physical: 0x5000n }, [4, 5, 6], [5]],
    ["the highest user page", 4, { virtual: HIGHEST_USER_4, physical: 0x5000n }, [5], [5]],
    ["the highest of five levels", 5, { virtual: HIGHEST_USER_5, physical: 0x5000n }, [5], [5]],
    ["a page above 4 GiB", 4, { virtual: 0x400000n, physical: 0x1_0000_5000n }, [5, 0x100005], [0x100005]],
    [
      "a large page",
      4,
      { virtual: 0x400000n, physical: 0x600000n, size: "2M" },
      [0x5ff, 0x600, 0x7ff, 0x800],
      [0x600, 0x7ff],
    ],
    [
      "a huge page",
      4,
      { virtual: 0x40000000n, physical: 0x40000000n, size: "1G" },
      [0x3ffff, 0x40000, 0x7ffff],
      [0x40000, 0x7ffff],
    ],
    ["not one that is not present", 4, { virtual: 0x400000n, physical: 0x5000n, flags: 0n }, [5], []],
    ["not one of the kernel's half", 4, { virtual: KERNEL_4, physical: 0x5000n }, [5], []],
    ["not one of the kernel's half of five levels", 5, { virtual: KERNEL_5, physical: 0x5000n }, [5], []],
  ])("%s", (_, levels, mapping, frames, expected) => {
    expect([...walked(levels, [mapping], frames).found].sort()).toEqual(expected);
  });

  it("takes AMD's encryption bit for no address", () => {
    const memory = new FakeMemory(1 << 22);
    new FakePageTables(memory, 0x100, 4).map(0x400000n, 0x5000n | (1n << 47n));
    const user = new UserTables(memory, [5], 1n << 47n, () => {});
    user.walk(0x100, 4);
    expect([...user.found]).toEqual([5]);
  });
});

describe("tables that cannot be walked", () => {
  it("counts one that the dump lacks, and goes on", () => {
    const memory = new FakeMemory(1 << 22);
    const tables = new FakePageTables(memory, 0x100, 4);
    tables.map(0x400000n, 0x5000n);
    tables.map(0x8000000000n, 0x6000n);
    // The first mapping's tables are 0x101 to 0x103.
    memory.lose(0x103, "excluded");
    const user = new UserTables(memory, [5, 6], 0n, () => {});
    user.walk(0x100, 4);
    expect({ found: [...user.found], missing: user.missing }).toEqual({ found: [6], missing: 1 });
  });

  it("reads a table once, though it leads to itself or two processes share it", () => {
    const memory = new FakeMemory(1 << 22);
    new FakePageTables(memory, 0x100, 4).map(0x400000n, 0x5000n);
    memory.write64(0x103008, 0x103063n);
    memory.write64(0x101000 + 8, 0x101063n);
    const user = new UserTables(memory, [5], 0n, () => {});
    user.walk(0x100, 4);
    user.walk(0x100, 4);
    expect({ found: [...user.found], tables: user.tables, cut: user.cut }).toEqual({
      found: [5],
      tables: 4,
      cut: false,
    });
  });
});
