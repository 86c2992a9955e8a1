import { isKernelAddress } from "../kernel/context.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { AddressSpace } from "../memory/address-space.ts";

/** `PAGE_MAPPING_ANON` and `PAGE_MAPPING_MOVABLE`, low bits of `page->mapping` (include/linux/page-flags.h since 2.6.x; 4.8). */
const MAPPING_FLAGS = 3n;

/**
 * What the kernel's array of `struct page` says of a page frame: `vmemmap_base` (a variable since 4.8's memory KASLR,
 * 25dfe4785332) plus the frame's number times the struct's size, as CONFIG_SPARSEMEM_VMEMMAP lays it out, which x86_64
 * always has.
 */
export class PageStructs {
  readonly #memory: AddressSpace;
  readonly #base: bigint;
  readonly #size: bigint;
  readonly #flags: bigint;
  readonly #mapping: bigint;
  readonly #head: bigint;
  readonly #lru: bigint;

  private constructor(
    memory: AddressSpace,
    base: bigint,
    at: { size: number; flags: number; mapping: number; head: number },
    lru: bigint,
  ) {
    this.#memory = memory;
    this.#base = base;
    this.#size = BigInt(at.size);
    this.#flags = BigInt(at.flags);
    this.#mapping = BigInt(at.mapping);
    this.#head = BigInt(at.head);
    this.#lru = lru;
  }

  /** Null where the kernel does not describe its `struct page`, or says nowhere where they lie. */
  static open(kernel: Kernel, memory: AddressSpace): PageStructs | null {
    const { types } = kernel;
    const symbol = kernel.symbols.byName("vmemmap_base", null)?.address ?? null;
    const base = symbol === null ? null : memory.u64(symbol);
    const size = types.sizeOf("page");
    const flags = types.member("page", "flags");
    const mapping = types.member("page", "mapping");
    const head = types.member("page", "compound_head");
    const lru = types.enumerator("PG_lru");
    if (base === null || size === null || flags === null || mapping === null || head === null || lru === null)
      return null;
    const at = { size, flags: flags.offset, mapping: mapping.offset, head: head.offset };
    return new PageStructs(memory, base, at, lru);
  }

  /** Where the `struct page` of a frame lies. */
  address(pfn: number): bigint {
    return this.#base + BigInt(pfn) * this.#size;
  }

  /**
   * Whether the frame holds anonymous or file memory: pages on the lists of what may be reclaimed, and pages whose mapping is
   * marked: a pointer with a low bit set. (Slabs keep an aligned pointer or a small number at that place.) Null where its struct cannot
   * be read.
   */
  isUserMemory(pfn: number): boolean | null {
    let page = this.address(pfn);
    const head = this.#memory.u64(page + this.#head);
    // A tail page of a larger one points at the first, with bit 0 set (1d798ca3f164, 4.4).
    if (head !== null && (head & 1n) === 1n) page = head - 1n;
    const flags = this.#memory.u64(page + this.#flags);
    const mapping = this.#memory.u64(page + this.#mapping);
    if (flags === null || mapping === null) return null;
    return ((flags >> this.#lru) & 1n) === 1n || ((mapping & MAPPING_FLAGS) !== 0n && isKernelAddress(mapping));
  }
}
