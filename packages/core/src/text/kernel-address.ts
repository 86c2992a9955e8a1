/** x86_64: the lowest address of the kernel's half, with 5-level paging too (4-level ones begin at 0xffff800000000000). */
export const KERNEL_HALF = 0xff00_0000_0000_0000n;
