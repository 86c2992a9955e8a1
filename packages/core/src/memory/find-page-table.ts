import { PAGE_SIZE, type PhysicalMemory } from "../image/physical-memory.ts";
import { mappedKernelRanges, START_KERNEL_MAP } from "./kernel-image.ts";
import type { PagingLevels } from "./page-table.ts";
import { PagedAddressSpace } from "./paged-address-space.ts";
import { u32At } from "./split-address.ts";

/**
 * Finds the kernel's own top page table (swapper_pg_dir) by scanning physical memory: for dumps that hold neither
 * VMCOREINFO nor control registers. It is told by its shape and by proof: it lies in the kernel image, and so maps itself.
 */

/** 2 MiB, the least alignment of a relocated kernel (CONFIG_PHYSICAL_ALIGN), in page frames. */
const ALIGNMENT = 512;
/** 2 TiB of such places. */
const MOST_PLACES = 1 << 20;
/** Page tables lie in the image's data, within its first 128 MiB. */
const IMAGE_FRAMES = 1 << 15;
/** The thorough scan ends after 4 GiB of page frames. */
const MOST_FRAMES = 1 << 20;
const PRESENT_TABLE = 0x81;
/** Frames of the right shape that are put to the proof, which costs a millisecond: a dump made to have many must end. */
const MOST_PROOFS = 256;

export interface FoundPageTable {
  readonly space: PagedAddressSpace;
  readonly physBase: bigint;
}

/** Looks first where kernel images begin, then at every present page frame up to a bound. */
export function findPageTable(memory: PhysicalMemory): FoundPageTable | null {
  const budget = { proofs: MOST_PROOFS };
  let places = 0;
  let images = 0;
  for (const { startPfn, endPfn } of memory.presentRanges()) {
    for (let pfn = Math.ceil(startPfn / ALIGNMENT) * ALIGNMENT; pfn < endPfn; pfn += ALIGNMENT) {
      if (++places > MOST_PLACES || images > 64) break;
      const page = memory.page(pfn);
      if (page === null || !looksLikeKernelStart(page)) continue;
      images++;
      const found = scan(memory, pfn, pfn + IMAGE_FRAMES, budget);
      if (found !== null) return found;
    }
  }
  let left = MOST_FRAMES;
  for (const { startPfn, endPfn } of memory.presentRanges()) {
    const end = Math.min(endPfn, startPfn + left);
    const found = scan(memory, startPfn, end, budget);
    if (found !== null) return found;
    left -= end - startPfn;
    if (left <= 0) break;
  }
  return null;
}

/**
 * `startup_64` of head_64.S soon loads an address of its own with a 64-bit LEA relative to RIP (`lea …(%rip), %rsp | %rdi |
 * %rbp`). Where it no longer begins the image (seen in 6.12), the padding before the first function does.
 */
function looksLikeKernelStart(page: Uint8Array): boolean {
  let nops = 0;
  for (let i = 0; i < 16; i++) {
    // REX.W 8D /r with mod 0, rm 5.
    if (page[i] === 0x48 && page[i + 1] === 0x8d && ((page[i + 2] as number) & 0xc7) === 0x05) return true;
    if (page[i] === 0x90) nops++;
  }
  return nops === 16;
}

function scan(
  memory: PhysicalMemory,
  startPfn: number,
  endPfn: number,
  budget: { proofs: number },
): FoundPageTable | null {
  const end = Math.min(endPfn, memory.maxPfn);
  for (let pfn = startPfn; pfn < end; pfn++) {
    const page = memory.page(pfn);
    if (page === null || !couldBeTop(page)) continue;
    for (const levels of [4, 5] as const) {
      if (!hasKernelShape(memory, page, levels)) continue;
      if (budget.proofs-- <= 0) return null;
      const found = provePageTable(memory, BigInt(pfn) * BigInt(PAGE_SIZE), levels);
      if (found !== null) return found;
    }
  }
  return null;
}

/** The top 2 GiB are mapped through entry 511; user space is not, in the kernel's own table. */
function couldBeTop(page: Uint8Array): boolean {
  if (((page[511 * 8] as number) & PRESENT_TABLE) !== 1) return false;
  for (let i = 0; i < 2048; i++) if (page[i] !== 0) return false;
  return true;
}

/** Entry 511 leads, through one more level if there are five, to level3_kernel_pgt: only entries 510 and 511 in use. */
function hasKernelShape(memory: PhysicalMemory, top: Uint8Array, levels: PagingLevels): boolean {
  // The direct map, vmalloc and vmemmap have entries of their own. (The p4d of a five-level kernel, which can pass for
  // a top table of four, has none below the CPU entry area's, 508.)
  let others = 0;
  for (let i = 256; i < (levels === 4 ? 508 : 511); i++) if (((top[i * 8] as number) & PRESENT_TABLE) === 1) others++;
  if (others === 0) return false;
  let table = tableAt(memory, top, 511);
  if (levels === 5 && table !== null) table = tableAt(memory, table, 511);
  if (table === null) return false;
  for (let i = 0; i < 510; i++) if (((table[i * 8] as number) & 1) !== 0) return false;
  return tableAt(memory, table, 510) !== null;
}

function tableAt(memory: PhysicalMemory, table: Uint8Array, index: number): Uint8Array | null {
  const low = u32At(table, index * 8);
  if ((low & PRESENT_TABLE) !== 1) return null;
  return memory.page((u32At(table, index * 8 + 4) & 0xfffff) * 0x100000 + (low >>> 12));
}

/**
 * Checks a top table that should be swapper_pg_dir: through it, the kernel image must contain it.
 * @returns null where it does not
 */
export function provePageTable(
  memory: PhysicalMemory,
  pgdPhysical: bigint,
  levels: PagingLevels,
): FoundPageTable | null {
  const space = new PagedAddressSpace(memory, pgdPhysical, levels);
  const physBase = physBaseOf(space);
  if (physBase === null) return null;
  const virtual = BigInt.asUintN(64, pgdPhysical - physBase + START_KERNEL_MAP);
  return space.translate(virtual) === pgdPhysical ? { space, physBase } : null;
}

/**
 * Value of the kernel's `phys_base` (signed): physical = virtual - START_KERNEL_MAP + phys_base, over all of the image.
 * @returns null where nothing is mapped there, or not in that way: then these are no page tables of a kernel
 */
export function physBaseOf(space: PagedAddressSpace): bigint | null {
  let physBase: bigint | null = null;
  let end: bigint | null = null;
  for (const range of mappedKernelRanges(space)) {
    // Modules may follow at a distance; they lie anywhere.
    if (end !== null && range.start !== end) break;
    end = range.end;
    for (let at = range.start; at < range.end; at += 0x20000n) {
      const physical = space.translate(at);
      if (physical === null) continue;
      const difference = physical - (at - START_KERNEL_MAP);
      if (physBase !== null && physBase !== difference) return null;
      physBase = difference;
    }
  }
  return physBase;
}
