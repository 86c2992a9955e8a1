/** What a pool costs. */

/** THREAD_SIZE of x86_64: arch/x86/include/asm/page_64_types.h, THREAD_SIZE_ORDER 2. */
export const DEFAULT_STACK_BYTES = 16_384;
const PAGE_BYTES = 4096;
/**
 * Beside its pages, a stack takes its entry in the module's tables, the kernel's description of the mapping (struct vmap_area and
 * vm_struct) and five page table entries; slab objects of 512 bytes hold them with room to spare.
 */
const BOOKKEEPING_BYTES = 512;

export interface PoolMemory {
  readonly bytes: number;
  /** Kernel addresses taken, guard pages included: they are no memory. */
  readonly addressSpaceBytes: number;
  readonly bytesPerStack: number;
}

export function poolMemory(stacks: number, stackBytes: number): PoolMemory {
  const bytesPerStack = stackBytes + BOOKKEEPING_BYTES;
  return { bytes: stacks * bytesPerStack, addressSpaceBytes: stacks * (stackBytes + PAGE_BYTES), bytesPerStack };
}
