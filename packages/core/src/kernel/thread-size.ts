import { type KernelContext, kernelSymbol } from "./context.ts";
import type { KernelCpu } from "./cpus.ts";
import type { PerCpu } from "./percpu.ts";

/** THREAD_SIZE without KASAN since 3.15 (6538b8ea886e); KASAN doubles or quadruples it. */
const USUAL = 16384;

/**
 * THREAD_SIZE in bytes: the linker script puts init_task's stack between two symbols, `__start_init_stack` and
 * `__end_init_stack` (8f69cba096b5, 6.10) or `__start_init_task` and `__end_init_task` before (since 4.15). Else by the stacks
 * that CPUs are on, as `atTops` tells them. 16 KiB where nothing is known.
 */
export function threadSize(
  context: Pick<KernelContext, "symbols" | "vmcoreinfo" | "problem">,
  atTops: () => Iterable<StackTop> = () => [],
): number {
  for (const name of ["init_stack", "init_task"]) {
    const start = kernelSymbol(context, `__start_${name}`);
    const end = kernelSymbol(context, `__end_${name}`);
    if (start === null || end === null) continue;
    const size = Number(end - start);
    if (isSize(size)) return size;
  }
  for (const { low, top } of atTops()) {
    // Up to 4.1 the value is that of the first push, five words below the top (KERNEL_STACK_OFFSET).
    const size = Number(((top + 0xfffn) & ~0xfffn) - low);
    if (isSize(size)) return size;
  }
  context.problem("the size of kernel stacks could not be told; 16 KiB is taken");
  return USUAL;
}

/** A task's stack, and where its CPU enters it. */
export interface StackTop {
  readonly low: bigint;
  readonly top: bigint;
}

/** Per-CPU variables that hold the top of the current task's stack: 4.9 to 6.1 (in `pcpu_hot` then), and up to 4.0. */
const TOPS = ["cpu_current_top_of_stack", "kernel_stack"];
/** `sp0` of the hardware's TSS (arch/x86/include/asm/processor.h); the top of the current task's stack up to 4.14. */
const TSS_SP0 = 4n;

/** The stacks that CPUs are on. */
export function* stackTops(
  cpus: readonly KernelCpu[],
  perCpu: PerCpu,
  stackOf: (task: bigint) => bigint | null,
): Iterable<StackTop> {
  for (const { number, currentTask } of cpus) {
    const low = currentTask === null ? null : stackOf(currentTask);
    if (low === null) continue;
    for (const top of [...TOPS.map((name) => perCpu.u64(name, number)), perCpu.u64("cpu_tss", number, TSS_SP0)]) {
      if (top !== null) yield { low, top };
    }
  }
}

function isSize(size: number): boolean {
  return size >= 4096 && size <= 1 << 20 && (size & (size - 1)) === 0;
}
