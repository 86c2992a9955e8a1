import { isKernelAddress } from "../kernel/context.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { vmcoreNumber, vmcoreOffset, vmcoreSize } from "../symbols/vmcoreinfo.ts";

/** `PAGE_MAPPING_ANON` and `PAGE_MAPPING_MOVABLE`, low bits of `page->mapping` (include/linux/page-flags.h). */
const MAPPING_FLAGS = 3n;
/** MAX_PAGE_ORDER: blocks of free memory have up to 2^10 pages. */
const HIGHEST_ORDER = 10;

/**
 * - `user`: anonymous or file memory, mapped or not;
 * - `free`: belongs to nobody, so may still hold what its last owner wrote;
 * - `reserved`: was never given to the page allocator: the kernel's image, boot-time allocations;
 * - `kernel`: anything else.
 */
export type PageUse = "user" | "free" | "reserved" | "kernel";

interface Layout {
  readonly base: bigint;
  readonly size: number;
  readonly flags: number;
  readonly mapping: number;
  readonly head: number;
  readonly mapcount: number;
  readonly order: number;
  readonly lru: bigint;
  readonly reserved: bigint | null;
  /** `_mapcount` of the first page of a free block. */
  readonly buddy: number | null;
}

/**
 * What the kernel's array of `struct page` says of a page frame. It begins at the address in the variable `vmemmap_base`
 * (kernels with a randomised memory layout) and lies as CONFIG_SPARSEMEM_VMEMMAP has it, which x86_64 always has.
 */
export class PageStructs {
  readonly #memory: AddressSpace;
  readonly #at: Layout;

  private constructor(memory: AddressSpace, at: Layout) {
    this.#memory = memory;
    this.#at = at;
  }

  /** Null where neither VMCOREINFO nor types describe `struct page`, or nothing says where they lie. */
  static open(kernel: Kernel, memory: AddressSpace): PageStructs | null {
    const { types, vmcoreinfo } = kernel;
    const offset = (member: string) =>
      vmcoreOffset(vmcoreinfo, `page.${member}`) ?? types.member("page", member)?.offset ?? null;
    const symbol = kernel.symbols.byName("vmemmap_base", null)?.address ?? null;
    const base = symbol === null ? null : memory.u64(symbol);
    const size = vmcoreSize(vmcoreinfo, "page") ?? types.sizeOf("page");
    const [flags, mapping, head] = [offset("flags"), offset("mapping"), offset("compound_head")];
    const [mapcount, order] = [offset("_mapcount"), offset("private")];
    const lru = vmcoreNumber(vmcoreinfo, "PG_lru") ?? types.enumerator("PG_lru");
    if (base === null || size === null || flags === null || mapping === null || head === null) return null;
    if (mapcount === null || order === null || lru === null || lru < 0n || lru > 63n) return null;
    const reserved = types.enumerator("PG_reserved");
    const buddy = vmcoreNumber(vmcoreinfo, "PAGE_BUDDY_MAPCOUNT_VALUE");
    return new PageStructs(memory, {
      ...{ base, size, flags, mapping, head, mapcount, order, lru, reserved },
      buddy: buddy === null ? null : Number(BigInt.asIntN(32, buddy)),
    });
  }

  /** Null where its `struct page` cannot be read. */
  use(pfn: number): PageUse | null {
    const memory = this.#memory;
    const at = this.#at;
    let page = this.#address(pfn);
    const head = memory.u64(page + BigInt(at.head));
    // A tail page of a larger one points at the first, with bit 0 set (1d798ca3f164, 4.4).
    if (head !== null && (head & 1n) === 1n) page = head - 1n;
    const flags = memory.u64(page + BigInt(at.flags));
    const mapping = memory.u64(page + BigInt(at.mapping));
    if (flags === null || mapping === null) return null;
    if (at.reserved !== null && ((flags >> at.reserved) & 1n) === 1n) return "reserved";
    // On the lists of what can be reclaimed, or with a marked pointer: slabs keep an aligned pointer or a count there.
    if (((flags >> at.lru) & 1n) === 1n) return "user";
    if ((mapping & MAPPING_FLAGS) !== 0n && isKernelAddress(mapping)) return "user";
    return this.#isFree(pfn) ? "free" : "kernel";
  }

  #address(pfn: number): bigint {
    return this.#at.base + BigInt(pfn) * BigInt(this.#at.size);
  }

  /** Only the first page of a free block is marked, so all places where a block that holds this page can begin are tried. */
  #isFree(pfn: number): boolean {
    const { buddy, mapcount, order } = this.#at;
    if (buddy === null) return false;
    for (let tried = 0; tried <= HIGHEST_ORDER; tried++) {
      const first = pfn - (pfn % (1 << tried));
      const page = this.#address(first);
      if (this.#memory.i32(page + BigInt(mapcount)) !== buddy) continue;
      const blocks = this.#memory.u64(page + BigInt(order));
      if (blocks !== null && blocks <= BigInt(HIGHEST_ORDER) && first + (1 << Number(blocks)) > pfn) return true;
    }
    return false;
  }
}
