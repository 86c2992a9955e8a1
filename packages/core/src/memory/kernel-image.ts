import type { AddressSpace } from "./address-space.ts";

/** Where x86_64 maps the kernel image: `__START_KERNEL_map` and the 1 GiB from there that KASLR may use. */
export const START_KERNEL_MAP = 0xffffffff80000000n;
const KERNEL_IMAGE_END = 0xffffffffc0000000n;
/** Where the image is linked to run without KASLR: START_KERNEL_MAP + CONFIG_PHYSICAL_START. */
export const LINKED_TEXT = 0xffffffff81000000n;
const SLOT = 0x200000n;

export interface VirtualRange {
  readonly start: bigint;
  readonly end: bigint;
}

/**
 * Runs of 2 MiB slots between START_KERNEL_MAP and the modules in which something is mapped, ascending. The image is
 * the first (level2_kernel_pgt maps nothing but it, `cleanup_highmap`); without KASLR modules follow.
 */
export function mappedKernelRanges(space: AddressSpace): VirtualRange[] {
  const ranges: { start: bigint; end: bigint }[] = [];
  for (let slot = START_KERNEL_MAP; slot < KERNEL_IMAGE_END; slot += SLOT) {
    if (!anythingMapped(space, slot)) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last.end === slot) last.end = slot + SLOT;
    else ranges.push({ start: slot, end: slot + SLOT });
  }
  return ranges;
}

/** Freed init sections are unmapped page by page, so one probe a slot is not enough. */
function anythingMapped(space: AddressSpace, slot: bigint): boolean {
  for (let at = slot; at < slot + SLOT; at += 0x20000n) if (space.translate(at) !== null) return true;
  return false;
}
