import { describe, expect, it } from "vitest";
import type { Kernel } from "../kernel/kernel.ts";
import { FakeMemory, fakeSymbols } from "../kernel/memory.fixture.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import { PageStructs, type PageUse } from "./page-structs.ts";

const VMEMMAP = 0xffffea0000000000n;
const BASE_VARIABLE = 0xffffffff82000000n;
const FLAGS = 0;
const HEAD = 8;
const MAPPING = 24;
const ORDER = 40;
const MAPCOUNT = 48;
const LRU = 4n;
const RESERVED = 12n;
const BUDDY = -129;
const ANON_VMA = 0xffff888012345601n;

/** What VMCOREINFO of 6.1 says. */
const VMCOREINFO = new Map([
  ["SIZE(page)", "64"],
  ["OFFSET(page.flags)", "0"],
  ["OFFSET(page.mapping)", "24"],
  ["OFFSET(page.compound_head)", "8"],
  ["OFFSET(page._mapcount)", "48"],
  ["OFFSET(page.private)", "40"],
  ["NUMBER(PG_lru)", "4"],
  ["NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", "-129"],
]);

type Field = readonly [pfn: number, offset: number, value: bigint];

function open(fields: readonly Field[], vmcoreinfo: ReadonlyMap<string, string> = VMCOREINFO): PageStructs | null {
  const memory = new FakeMemory();
  memory.map(BASE_VARIABLE, 8).setBigUint64(0, VMEMMAP, true);
  const structs = memory.map(VMEMMAP, 64 * 64);
  for (const [pfn, offset, value] of fields) {
    if (offset === MAPCOUNT) structs.setInt32(pfn * 64 + offset, Number(value), true);
    else structs.setBigUint64(pfn * 64 + offset, value, true);
  }
  const types = { ...EmptyTypes, enumerator: (name: string) => (name === "PG_reserved" ? RESERVED : null) };
  const kernel = { vmcoreinfo, types, memory, symbols: fakeSymbols({ vmemmap_base: BASE_VARIABLE }) };
  return PageStructs.open(kernel as unknown as Kernel, memory);
}

describe("what struct page says of a frame", () => {
  it.each<[string, number, readonly Field[], PageUse | null]>([
    ["nothing special", 5, [], "kernel"],
    ["on a list of what can be reclaimed", 5, [[5, FLAGS, 1n << LRU]], "user"],
    ["anonymous, not yet on a list", 5, [[5, MAPPING, ANON_VMA]], "user"],
    ["a slab's pointer there", 5, [[5, MAPPING, 0xffff888012345600n]], "kernel"],
    ["a slab's count there", 5, [[5, MAPPING, 1n]], "kernel"],
    ["reserved, as the image's pages are", 5, [[5, FLAGS, (1n << RESERVED) | (1n << LRU)]], "reserved"],
    [
      "the tail of a user page",
      6,
      [
        [4, FLAGS, 1n << LRU],
        [6, HEAD, VMEMMAP + 4n * 64n + 1n],
      ],
      "user",
    ],
    ["a free page", 5, [[5, MAPCOUNT, BigInt(BUDDY)]], "free"],
    [
      "inside a free block",
      14,
      [
        [8, MAPCOUNT, BigInt(BUDDY)],
        [8, ORDER, 3n],
      ],
      "free",
    ],
    [
      "behind a free block",
      16,
      [
        [8, MAPCOUNT, BigInt(BUDDY)],
        [8, ORDER, 3n],
      ],
      "kernel",
    ],
    [
      "beside a free block of another size",
      14,
      [
        [12, MAPCOUNT, BigInt(BUDDY)],
        [12, ORDER, 1n],
      ],
      "kernel",
    ],
    ["not in the dump", 64, [], null],
  ])("%s", (_, pfn, fields, expected) => {
    expect(open(fields)?.use(pfn)).toBe(expected);
  });

  it("is nothing without a description", () => {
    expect(open([], new Map())).toBeNull();
  });
});
