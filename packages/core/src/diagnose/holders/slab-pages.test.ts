import { describe, expect, it } from "vitest";
import type { Kernel } from "../../kernel/kernel.ts";
import { tinyKernel } from "../../testing/tiny-kernel.ts";
import { type Layouts, typesOf } from "./holders.fixture.ts";
import { SlabPages } from "./slab-pages.ts";

const DIRECT_MAP = 0xffff888000000000n;
const PAGES = 0xffffea0000000000n;
const CACHE = 0xffff888000100000n;
const PAGE_WORDS = 8;

const LAYOUTS: Layouts = {
  page: { size: 64, members: { flags: 0, compound_head: 8, page_type: 48 } },
  slab: { size: 64, members: { slab_cache: 24 } },
  kmem_cache: { size: 256, members: { size: 16, name: 8 } },
};
const SLAB_BIT = 1n << 9n;

interface Page {
  readonly slab?: boolean;
  readonly tailOf?: number;
}

/** `struct page` of each frame, in the manner of a kernel up to 6.9, or one since 6.12. */
function open(pages: readonly Page[], byType = false): { slabs: SlabPages; kernel: Kernel } {
  const words = pages.flatMap(({ slab, tailOf }) => {
    const page = new Array<bigint>(PAGE_WORDS).fill(0n);
    page[0] = slab === true && !byType ? SLAB_BIT : 0n;
    page[1] = tailOf === undefined ? 0n : PAGES + BigInt(tailOf * 64) + 1n;
    page[3] = CACHE;
    page[6] = byType ? (slab === true ? 0xf5000000n : 0xffffffffn) : 0n;
    return page;
  });
  const { kernel } = tinyKernel({
    functions: [],
    types: typesOf(LAYOUTS, byType ? { PGTY_slab: 0xf5n } : { PG_slab: 9n }),
    data: [
      { name: "vmemmap_base", address: 0xffffffffc0000000n, words: [PAGES] },
      { name: "page_offset_base", address: 0xffffffffc0000100n, words: [DIRECT_MAP] },
      { name: "pages", address: PAGES, words },
      { name: "cache", address: CACHE, words: [0n, 0n, 192n] },
    ],
  });
  Object.assign(kernel, {
    image: { memory: { presentRanges: () => [{ startPfn: 0, endPfn: pages.length }] } },
  });
  return { slabs: SlabPages.open(kernel)!, kernel };
}

describe.each([
  ["by a bit of the page's flags", false],
  ["by the page's type", true],
])("slab pages told %s", (_how, byType) => {
  const PAGE_STRUCTS: Page[] = [{}, { slab: true }, { tailOf: 1 }, {}, { tailOf: 3 }, { slab: true }];

  it("are listed with their tail pages, as runs of the direct map", () => {
    const { runs, all } = open(PAGE_STRUCTS, byType).slabs.runs();
    expect(all).toBe(true);
    expect(runs.map(({ start, size }) => [Number(start - DIRECT_MAP) / 4096, size / 4096])).toEqual([
      [1, 2],
      [5, 1],
    ]);
  });

  it("tell whose object an address is, counted from the first page of the slab", () => {
    const { slabs } = open(PAGE_STRUCTS, byType);
    const first = DIRECT_MAP + 4096n;
    expect(slabs.objectAt(first + 200n)).toMatchObject({ low: first + 192n, high: first + 384n });
    const second = first + 4096n + 8n;
    expect(slabs.objectAt(second)!.low).toBe(first + (4104n / 192n) * 192n);
  });

  it("are no others", () => {
    const { slabs } = open(PAGE_STRUCTS, byType);
    expect(slabs.objectAt(DIRECT_MAP + 8n)).toBeNull();
    expect(slabs.objectAt(DIRECT_MAP + 4n * 4096n)).toBeNull();
    expect(slabs.objectAt(0xffffffffc0000000n)).toBeNull();
    expect(slabs.objectAt(DIRECT_MAP + 4096n * 1000n)).toBeNull();
  });
});

describe("slab pages", () => {
  it("are not known without types", () => {
    const { kernel } = tinyKernel({ functions: [] });
    expect(SlabPages.open(kernel)).toBeNull();
  });

  it("have objects of a size that makes sense, or none", () => {
    const { slabs, kernel } = open([{ slab: true }]);
    Object.assign(kernel.memory, { u32: () => 0 });
    expect(slabs.objectAt(DIRECT_MAP)).toBeNull();
  });
});
