/** Slab memory: which page frames it takes, and whose object an address in it is. */
import { PAGE_SIZE } from "../../image/physical-memory.ts";
import { isKernelAddress } from "../../kernel/context.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { AddressSpace } from "../../memory/address-space.ts";
import { vmcoreNumber, vmcoreSize } from "../../symbols/vmcoreinfo.ts";

/** Page frames looked at: 16 GiB. Of a larger machine the first ones; the answer says so. */
const MOST_FRAMES = 1 << 22;
/** Slab memory that is searched. Bytes. */
const MOST_SLAB = 512 << 20;
const FRAMES_AT_ONCE = 1 << 14;
const PAGE = BigInt(PAGE_SIZE);
/** Where the direct map begins without a randomised layout (Documentation/arch/x86/x86_64/mm.rst; moved in 4.20, d52888aa2753). */
const DIRECT_MAP = [0xffff888000000000n, 0xffff880000000000n];
const MOST_OBJECT = 1n << 22n;

export interface SlabObject {
  readonly cache: string;
  readonly low: bigint;
  readonly high: bigint;
}

interface Layout {
  readonly pages: bigint;
  readonly size: number;
  readonly flags: number;
  readonly head: number;
  /** How a slab page is told: a bit of `flags`, or a number in the top byte (or all) of `page_type`. */
  readonly test: { readonly bit: bigint } | { readonly typeAt: number; readonly value: number; readonly shift: number };
  readonly cacheAt: number;
}

export class SlabPages {
  readonly directMap: bigint;
  readonly #kernel: Kernel;
  readonly #memory: AddressSpace;
  readonly #at: Layout;

  private constructor(kernel: Kernel, directMap: bigint, at: Layout) {
    this.#kernel = kernel;
    this.#memory = kernel.memory;
    this.directMap = directMap;
    this.#at = at;
  }

  /** Null where the kernel's types or variables do not tell. */
  static open(kernel: Kernel): SlabPages | null {
    const { types, vmcoreinfo, memory } = kernel;
    const variable = (name: string) => {
      const symbol = kernel.symbols.byName(name, null);
      return symbol === null ? null : memory.u64(symbol.address);
    };
    const pages = variable("vmemmap_base");
    const directMap = variable("page_offset_base") ?? DIRECT_MAP.find((base) => memory.translate(base) === 0n) ?? null;
    const size = vmcoreSize(vmcoreinfo, "page") ?? types.sizeOf("page");
    const flags = types.member("page", "flags");
    const head = types.member("page", "compound_head");
    // struct slab since 5.17 (d122019bf061); the same members were in struct page before.
    const cache = types.member("slab", "slab_cache") ?? types.member("page", "slab_cache");
    const test = slabTest(kernel);
    if (pages === null || directMap === null || size === null || size < 16 || size > 1024) return null;
    if (flags === null || head === null || cache === null || test === null) return null;
    return new SlabPages(kernel, directMap, {
      ...{ pages, size, flags: flags.offset, head: head.offset, test, cacheAt: cache.offset },
    });
  }

  /** Runs of slab pages in the direct map, and whether there were more than are searched. */
  runs(): { readonly runs: readonly { readonly start: bigint; readonly size: number }[]; readonly all: boolean } {
    const runs: { start: bigint; size: number }[] = [];
    let frames = 0;
    let bytes = 0;
    for (const { first, count } of frameRanges(this.#kernel)) {
      for (let done = 0; done < count; done += FRAMES_AT_ONCE) {
        if (frames >= MOST_FRAMES || bytes >= MOST_SLAB) return { runs, all: false };
        const some = Math.min(FRAMES_AT_ONCE, count - done);
        frames += some;
        bytes += this.#addRuns(first + done, some, runs);
      }
    }
    return { runs, all: true };
  }

  /** Adds the slab pages among frames [first, first + count); returns their bytes. */
  #addRuns(first: number, count: number, runs: { start: bigint; size: number }[]): number {
    const { pages, size, head } = this.#at;
    const address = pages + BigInt(first) * BigInt(size);
    const bytes = this.#memory.scan?.(address, count * size) ?? this.#memory.readSparse(address, count * size).bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let added = 0;
    let inSlab = false;
    for (let index = 0; index < count; index++) {
      const at = index * size;
      // A tail page belongs to what its head, a page before it, does.
      if ((view.getUint8(at + head) & 1) === 0) inSlab = this.#isSlab(view, at);
      else if (index === 0) inSlab = this.#headIsSlab(view.getBigUint64(at + head, true) - 1n);
      if (!inSlab) continue;
      added += PAGE_SIZE;
      const start = this.directMap + BigInt(first + index) * PAGE;
      const last = runs.at(-1);
      if (last !== undefined && last.start + BigInt(last.size) === start) last.size += PAGE_SIZE;
      else runs.push({ start, size: PAGE_SIZE });
    }
    return added;
  }

  #isSlab(view: DataView, at: number): boolean {
    const { test, flags } = this.#at;
    if ("bit" in test) return ((view.getBigUint64(at + flags, true) >> test.bit) & 1n) === 1n;
    return view.getUint32(at + test.typeAt, true) >>> test.shift === test.value;
  }

  #headIsSlab(page: bigint): boolean {
    const bytes = this.#memory.read(page, this.#at.size);
    return bytes !== null && this.#isSlab(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
  }

  /** The object that holds an address of the direct map; null where it is in no slab that can be read. */
  objectAt(address: bigint): SlabObject | null {
    const memory = this.#memory;
    const { pages, size, head, cacheAt } = this.#at;
    if (address < this.directMap || address - this.directMap > 1n << 46n) return null;
    const frame = (address - this.directMap) / PAGE;
    let page = pages + frame * BigInt(size);
    const up = memory.u64(page + BigInt(head));
    if (up !== null && (up & 1n) === 1n) page = up - 1n;
    if (page < pages || !this.#headIsSlab(page)) return null;
    const cache = memory.u64(page + BigInt(cacheAt));
    if (cache === null || !isKernelAddress(cache)) return null;
    const stride = this.#cacheMember(cache, "size");
    const first = this.directMap + ((page - pages) / BigInt(size)) * PAGE;
    if (stride === null || stride < 8n || stride > MOST_OBJECT || address < first) return null;
    const low = first + ((address - first) / stride) * stride;
    const name = this.#kernel.types.member("kmem_cache", "name");
    const text = name === null ? null : memory.u64(cache + BigInt(name.offset));
    return {
      cache: (text === null ? null : memory.cstring(text, 64)) ?? "a slab cache",
      low,
      high: low + stride,
    };
  }

  #cacheMember(cache: bigint, member: string): bigint | null {
    const found = this.#kernel.types.member("kmem_cache", member);
    const value = found === null ? null : this.#memory.u32(cache + BigInt(found.offset));
    return value === null ? null : BigInt(value);
  }
}

/**
 * Slab pages were a bit of `page->flags` up to 6.9 (PG_slab); a bit of the inverted `page_type` in 6.10 and 6.11
 * (46df8e73a4a3); a number in its top byte since 6.12 (4ffca5a96678).
 */
function slabTest({ types, vmcoreinfo }: Kernel): Layout["test"] | null {
  const type = types.member("page", "page_type");
  const named = types.enumerator("PGTY_slab");
  if (type !== null && named !== null) return { typeAt: type.offset, value: Number(named), shift: 24 };
  const counted = vmcoreNumber(vmcoreinfo, "PAGE_SLAB_MAPCOUNT_VALUE");
  if (type !== null && counted !== null) {
    return { typeAt: type.offset, value: Number(BigInt.asUintN(32, counted)), shift: 0 };
  }
  const bit = vmcoreNumber(vmcoreinfo, "PG_slab") ?? types.enumerator("PG_slab");
  return bit === null || bit < 0n || bit > 63n ? null : { bit };
}

function* frameRanges({ image }: Kernel): Iterable<{ first: number; count: number }> {
  for (const { startPfn, endPfn } of image.memory.presentRanges()) yield { first: startPfn, count: endPfn - startPfn };
}
