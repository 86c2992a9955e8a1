import { type KernelContext, kernelSymbol } from "./context.ts";

/** THREAD_SIZE without KASAN since 3.15 (6538b8ea886e); KASAN doubles or quadruples it. */
const USUAL = 16384;

/**
 * THREAD_SIZE in bytes: the linker script puts init_task's stack between two symbols, `__start_init_stack` and
 * `__end_init_stack` (8f69cba096b5, 6.10) or `__start_init_task` and `__end_init_task` before. 16 KiB where neither is known.
 */
export function threadSize(context: KernelContext): number {
  for (const name of ["init_stack", "init_task"]) {
    const start = kernelSymbol(context, `__start_${name}`);
    const end = kernelSymbol(context, `__end_${name}`);
    if (start === null || end === null) continue;
    const size = Number(end - start);
    if (size >= 4096 && size <= 1 << 20 && (size & (size - 1)) === 0) return size;
  }
  context.problem("the size of kernel stacks could not be told; 16 KiB is taken");
  return USUAL;
}
