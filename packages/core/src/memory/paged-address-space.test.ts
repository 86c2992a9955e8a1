import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PageState } from "../image/physical-memory.ts";
import type { PagingLevels } from "./page-table.ts";
import { PagedAddressSpace } from "./paged-address-space.ts";
import { EXECUTE, FakeMemory, FakePageTables, type MappedSize, READ_ONLY } from "./testing/fake-machine.ts";

const ROOT = 0x100;

function machine(levels: PagingLevels) {
  const memory = new FakeMemory(0x100000);
  const tables = new FakePageTables(memory, ROOT, levels);
  const space = () => new PagedAddressSpace(memory, BigInt(ROOT) << 12n, levels);
  return { memory, tables, space };
}

describe("translation", () => {
  const cases: [PagingLevels, MappedSize, bigint, bigint, bigint, bigint][] = [
    // levels, size, virtual page, physical page, asked, expected
    [4, "4K", 0xffff888000001000n, 0x5000n, 0xffff888000001abcn, 0x5abcn],
    [4, "2M", 0xffffffff81000000n, 0x3000000n, 0xffffffff811fffffn, 0x31fffffn],
    [4, "1G", 0xffff888040000000n, 0x80000000n, 0xffff88807fffffffn, 0xbfffffffn],
    [4, "4K", 0x00007ffffffff000n, 0x6000n, 0x00007ffffffff008n, 0x6008n],
    [5, "4K", 0xff11000000001000n, 0x5000n, 0xff11000000001abcn, 0x5abcn],
    [5, "2M", 0xffffffff81000000n, 0x3000000n, 0xffffffff81123456n, 0x3123456n],
    [5, "1G", 0xff11000040000000n, 0x40000000n, 0xff11000040000001n, 0x40000001n],
    [4, "4K", 0xffff888000001000n, 0x4567890ab000n, 0xffff888000001fffn, 0x4567890abfffn],
  ];
  it.each(cases)("%i levels, %s page at %s", (levels, size, page, physical, asked, expected) => {
    const { tables, space } = machine(levels);
    tables.map(page, physical, size);
    expect(space().translate(asked)).toBe(expected);
  });

  it("takes the PAT bit of a large page for no address", () => {
    const { tables, space } = machine(4);
    tables.map(0xffffffff81000000n, 0x3001000n, "2M");
    expect(space().translate(0xffffffff81000010n)).toBe(0x3000010n);
  });

  it("cuts AMD's encryption bit off", () => {
    const { memory, tables } = machine(4);
    tables.map(0xffff888000001000n, 0x5000n | (1n << 47n));
    expect(new PagedAddressSpace(memory, BigInt(ROOT) << 12n, 4).translate(0xffff888000001000n)).toBe(0x800000005000n);
    const aware = new PagedAddressSpace(memory, (BigInt(ROOT) << 12n) | (1n << 47n), 4, 1n << 47n);
    expect(aware.translate(0xffff888000001000n)).toBe(0x5000n);
  });

  it.each<[PagingLevels, bigint]>([
    [4, 0x0000800000000000n],
    [4, 0xffff7fffffffffffn],
    [4, 0xff11000000001000n],
    [5, 0x0100000000000000n],
    [5, 0xfeffffffffffffffn],
  ])("%i levels: %s is not canonical", (levels, address) => {
    const { tables, space } = machine(levels);
    // The bits that a walk would use, mapped: only the check for the sign can refuse it.
    tables.map(address, 0x5000n);
    expect(space().translate(address)).toBeNull();
    expect(space().explain(address)?.reason).toBe("unmapped");
  });

  it("does not mix neighbouring tables up", () => {
    const { tables, space } = machine(4);
    tables.map(0xffff8880001ff000n, 0x5000n);
    tables.map(0xffff888000200000n, 0x7000n);
    tables.map(0xffff8890001ff000n, 0x9000n);
    const one = space();
    const walk = [0xffff8880001ff000n, 0xffff888000200000n, 0xffff8890001ff000n, 0xffff8880001ff000n];
    expect(walk.map((address) => one.translate(address))).toEqual([0x5000n, 0x7000n, 0x9000n, 0x5000n]);
  });

  it("says what a mapping allows", () => {
    const { tables, space } = machine(4);
    tables.map(0xffffffff81000000n, 0x3000000n, "2M", EXECUTE);
    tables.map(0xffffffff82000000n, 0x4000000n, "4K", READ_ONLY);
    tables.map(0xffffffff82001000n, 0x4001000n);
    expect(space().protection(0xffffffff81000000n)).toEqual({ writable: false, executable: true });
    expect(space().protection(0xffffffff82000000n)).toEqual({ writable: false, executable: false });
    expect(space().protection(0xffffffff82001000n)).toEqual({ writable: true, executable: false });
  });
});

describe("faults", () => {
  const PAGE = 0xffff888000001000n;

  it("a PROT_NONE entry is unmapped", () => {
    const { tables, space } = machine(4);
    tables.map(PAGE, 0x5000n, "4K", 0x100n);
    expect(space().explain(PAGE)).toEqual({ reason: "unmapped", virtual: PAGE, physical: null });
  });

  it.each<[PageState & ("excluded" | "lost" | "absent")]>([["excluded"], ["lost"], ["absent"]])(
    "a data page that is %s",
    (state) => {
      const { memory, tables, space } = machine(4);
      tables.map(PAGE, 0x5000n);
      memory.lose(5, state);
      expect(space().explain(PAGE + 8n)).toEqual({ reason: state, virtual: PAGE + 8n, physical: 0x5008n });
      expect(space().u64(PAGE)).toBeNull();
      expect(space().translate(PAGE)).toBe(0x5000n);
    },
  );

  it.each<[PageState & ("excluded" | "lost")]>([["excluded"], ["lost"]])("a page table that is %s", (state) => {
    const { memory, tables, space } = machine(4);
    tables.map(PAGE, 0x5000n);
    memory.lose(ROOT + 2, state);
    expect(space().explain(PAGE)).toEqual({ reason: state, virtual: PAGE, physical: BigInt(ROOT + 2) << 12n });
  });

  it("a table that points beyond RAM ends as absent", () => {
    const { memory, space } = machine(4);
    memory.write64(ROOT * 4096 + 273 * 8, 0xfffffffff000n | 0x63n);
    expect(space().explain(0xffff888000000000n)?.reason).toBe("absent");
  });

  it("a table that points at itself ends", () => {
    const { memory, space } = machine(4);
    for (let i = 0; i < 512; i++) memory.write64(ROOT * 4096 + i * 8, (BigInt(ROOT) << 12n) | 0x63n);
    expect(space().translate(0xffff888000000123n)).toBe((BigInt(ROOT) << 12n) | 0x123n);
  });
});

describe("reading", () => {
  /** Two virtual pages whose frames are apart, the second page's neighbour missing. */
  function twoPages() {
    const { memory, tables, space } = machine(4);
    tables.map(0xffff888000001000n, 0x9000n);
    tables.map(0xffff888000002000n, 0x5000n);
    for (let i = 0; i < 4096; i++) {
      memory.frame(9)[i] = i & 0x7f;
      memory.frame(5)[i] = 0x80 | (i & 0x7f);
    }
    return space();
  }
  const EDGE = 0xffff888000002000n;

  it("crosses page boundaries", () => {
    const space = twoPages();
    expect([...(space.read(EDGE - 2n, 4) ?? [])]).toEqual([0x7e, 0x7f, 0x80, 0x81]);
    expect(space.u16(EDGE - 1n)).toBe(0x807f);
    expect(space.u32(EDGE - 2n)).toBe(0x81807f7e);
    expect(space.i32(EDGE - 2n)).toBe(0x81807f7e | 0);
    expect(space.u64(EDGE - 4n)).toBe(0x838281807f7e7d7cn);
    expect(space.u64(EDGE)).toBe(0x8786858483828180n);
    expect(space.u8(EDGE - 1n)).toBe(0x7f);
  });

  it("is null where one byte is missing", () => {
    const space = twoPages();
    expect(space.read(EDGE + 0xff0n, 17)).toBeNull();
    expect(space.read(EDGE + 0xff0n, 16)).not.toBeNull();
    expect(space.u64(EDGE + 0xffcn)).toBeNull();
    expect(space.read(EDGE, 1 << 29)).toBeNull();
    expect(space.read(EDGE, 2 ** 40)).toBeNull();
  });

  it("reads what there is and lists the rest", () => {
    const { bytes, faults } = twoPages().readSparse(EDGE - 0x1010n, 0x2020);
    expect(faults.map((fault) => [fault.virtual, fault.reason])).toEqual([
      [EDGE - 0x1010n, "unmapped"],
      [EDGE + 0x1000n, "unmapped"],
    ]);
    expect([bytes[0x0f], bytes[0x11], bytes[0x1010], bytes[0x200f], bytes[0x2010]]).toEqual([0, 1, 0x80, 0xff, 0]);
  });

  it("decodes strings", () => {
    const { memory, tables, space } = machine(4);
    tables.map(0xffff888000001000n, 0x9000n);
    memory.write(0x9ff8, new Uint8Array([0x61, 0xc3, 0xa9, 0xff, 0x62, 0, 0x63, 0x64]));
    expect(space().cstring(0xffff888000001ff8n)).toBe("aé\ufffdb");
    expect(space().cstring(0xffff888000001ff8n, 1)).toBe("a");
    expect(space().cstring(0xffff888000001ffen)).toBeNull();
  });

  it("gives the same bytes by long reads as by single ones, with and without runs of frames", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0x200, max: 0x230 }), { minLength: 12, maxLength: 24 }),
        fc.integer({ min: 0, max: 4095 }),
        fc.boolean(),
        (frames, offset, runs) => {
          const { memory, tables, space } = machine(4);
          if (runs) {
            Object.assign(memory, {
              run: (pfn: number, count: number) => {
                const bytes = new Uint8Array(count * 4096);
                for (let i = 0; i < count; i++) bytes.set(memory.page(pfn + i) ?? new Uint8Array(0), i * 4096);
                return bytes;
              },
            });
          }
          const sorted = runs ? frames.sort((a, b) => a - b) : frames;
          sorted.forEach((pfn, i) => {
            tables.map(0xffff888000400000n + BigInt(i * 4096), BigInt(pfn) << 12n);
            memory.frame(pfn).forEach((_, at, page) => {
              page[at] = (pfn * 31 + at * 7) & 0xff;
            });
          });
          const start = 0xffff888000400000n + BigInt(offset);
          const length = sorted.length * 4096 - offset;
          const long = space().read(start, length);
          const one = space();
          for (let i = 0; i < length; i += 997) expect(long?.[i]).toBe(one.u8(start + BigInt(i)));
          expect(long?.length).toBe(length);
          expect(space().read(start, length + 1)).toBeNull();
        },
      ),
      { numRuns: 25 },
    );
  });
});
