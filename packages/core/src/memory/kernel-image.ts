import type { PagedAddressSpace } from "./paged-address-space.ts";

/** Where x86_64 maps the kernel image: `__START_KERNEL_map` and the 1 GiB from there that KASLR may use. */
export const START_KERNEL_MAP = 0xffffffff80000000n;
const KERNEL_IMAGE_END = 0xffffffffc0000000n;
/** Where the image is linked to run without KASLR: START_KERNEL_MAP + CONFIG_PHYSICAL_START. */
export const LINKED_TEXT = 0xffffffff81000000n;
const SLOT = 0x200000n;
const PROBE = 0x20000n;

export interface MappedRange {
  readonly start: bigint;
  readonly end: bigint;
  /** By the page tables: what is neither written nor executed is read-only data, once the kernel has finished booting. */
  readonly kind: "text" | "read-only" | "data";
}

/**
 * Runs of 2 MiB slots between START_KERNEL_MAP and the modules in which something is mapped, ascending. The image is
 * the first (level2_kernel_pgt maps nothing but it, `cleanup_highmap`); without KASLR modules follow. The linker script
 * starts text, read-only data and data on slots of their own (CONFIG_STRICT_KERNEL_RWX).
 */
export function mappedKernelRanges(space: PagedAddressSpace): MappedRange[] {
  const ranges: { start: bigint; end: bigint; kind: MappedRange["kind"] }[] = [];
  for (let slot = START_KERNEL_MAP; slot < KERNEL_IMAGE_END; slot += SLOT) {
    const kind = kindOfSlot(space, slot);
    if (kind === null) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last.end === slot && last.kind === kind) last.end = slot + SLOT;
    else ranges.push({ start: slot, end: slot + SLOT, kind });
  }
  return ranges;
}

/** Freed init sections are unmapped page by page, so one probe a slot is not enough. */
function kindOfSlot(space: PagedAddressSpace, slot: bigint): MappedRange["kind"] | null {
  for (let at = slot; at < slot + SLOT; at += PROBE) {
    const protection = space.protection(at);
    if (protection !== null) return protection.executable ? "text" : protection.writable ? "data" : "read-only";
  }
  return null;
}
