/** Pointers in objects of slab caches into a range of a stack. */
import { PAGE_SHIFT, PAGE_SIZE } from "../image/physical-memory.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Holder } from "./holders.ts";

/** Page frames gone through at most, and the time after which the search gives up. */
const MAX_PAGES = 1 << 20;
const MAX_MILLISECONDS = 700;
const MAX_HOLDERS = 64;

export interface SlabSearch {
  readonly holders: readonly Holder[];
  /** Page frames that were not looked at any more. */
  readonly unsearched: number;
}

/** What is needed to tell which slab a page frame belongs to (struct slab since 5.17, d122019bf061; struct page before). */
interface SlabLayout {
  readonly vmemmap: bigint;
  readonly pageSize: bigint;
  readonly cache: bigint;
  readonly cacheName: bigint;
  readonly objectSize: bigint;
}

function layoutOf(kernel: Kernel): SlabLayout | null {
  const { types, symbols, memory } = kernel;
  const base = symbols.byName("vmemmap_base", null)?.address;
  const vmemmap = base === undefined ? null : memory.u64(base);
  const pageSize = types.sizeOf("page");
  const cache = types.member("slab", "slab_cache") ?? types.member("page", "slab_cache");
  const name = types.member("kmem_cache", "name");
  const size = types.member("kmem_cache", "size");
  if (vmemmap === null || pageSize === null || cache === null || name === null || size === null) return null;
  return {
    vmemmap,
    pageSize: BigInt(pageSize),
    cache: BigInt(cache.offset),
    cacheName: BigInt(name.offset),
    objectSize: BigInt(size.offset),
  };
}

interface SlabCache {
  readonly name: string;
  readonly objectSize: bigint;
}

/** The cache of the slab that holds a page frame; null where it is no slab's. */
function cacheOf(kernel: Kernel, layout: SlabLayout, pfn: number): SlabCache | null {
  const { memory } = kernel;
  let page = layout.vmemmap + BigInt(pfn) * layout.pageSize;
  // A tail page points to its head, with bit 0 set (struct page.compound_head).
  const head = memory.u64(page + 8n);
  if (head !== null && (head & 1n) === 1n) page = head - 1n;
  const cache = memory.u64(page + layout.cache);
  if (cache === null || cache < 0xffff800000000000n || (cache & 7n) !== 0n) return null;
  const nameAt = memory.u64(cache + layout.cacheName);
  const size = memory.u32(cache + layout.objectSize);
  const name = nameAt === null ? null : memory.cstring(nameAt, 64);
  if (name === null || !/^[\w:.,-]{2,64}$/.test(name) || size === null || size < 8 || size > 1 << 20) return null;
  return { name, objectSize: BigInt(size) };
}

/** Goes through the dump's pages for words that point into [low, high), and keeps those that lie in slab objects. */
export function slabHolders(kernel: Kernel, low: bigint, high: bigint, now: () => number): SlabSearch {
  const layout = layoutOf(kernel);
  const direct = kernel.symbols.byName("page_offset_base", null)?.address;
  const offset = direct === undefined ? null : kernel.memory.u64(direct);
  if (layout === null || offset === null) return { holders: [], unsearched: 0 };
  const upper = Number(low >> 32n);
  const holders: Holder[] = [];
  const until = now() + MAX_MILLISECONDS;
  let looked = 0;
  let unsearched = 0;
  for (const { startPfn, endPfn } of kernel.image.memory.presentRanges()) {
    for (let pfn = startPfn; pfn < endPfn; pfn++) {
      if (holders.length >= MAX_HOLDERS || looked >= MAX_PAGES || ((looked & 255) === 255 && now() > until)) {
        unsearched += endPfn - pfn;
        break;
      }
      looked++;
      const page = kernel.image.memory.page(pfn);
      if (page === null) continue;
      const view = new DataView(page.buffer, page.byteOffset, PAGE_SIZE);
      for (let at = 0; at < PAGE_SIZE; at += 8) {
        if (view.getUint32(at + 4, true) !== upper) continue;
        const pointer = view.getBigUint64(at, true);
        if (pointer < low || pointer >= high) continue;
        const cache = cacheOf(kernel, layout, pfn);
        if (cache === null) break;
        const virtual = offset + (BigInt(pfn) << BigInt(PAGE_SHIFT)) + BigInt(at);
        if (kernel.memory.u64(virtual) !== pointer) continue;
        holders.push({
          at: virtual,
          pointer,
          low: virtual - cache.objectSize,
          high: virtual + cache.objectSize,
          text: `an object of the slab cache ${cache.name} (at 0x${virtual.toString(16)})`,
          module: null,
        });
      }
    }
  }
  return { holders, unsearched };
}
