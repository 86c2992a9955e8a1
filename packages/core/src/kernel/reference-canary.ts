import type { KernelContext } from "./context.ts";
import type { PerCpu } from "./percpu.ts";

/** GCC's fixed place for the canary on x86_64: %gs:40. */
const GS_CANARY = 40n;

/**
 * The canary that a CPU's functions compare with: at %gs:40 up to 6.14, which is 40 bytes into the first per-CPU variable,
 * `fixed_percpu_data` (`irq_stack_union` before 5.2, e6401c130931); the per-CPU variable `__stack_chk_guard` since 6.15
 * (80d47defddc0). It is that of the current task. Null where the kernel has no stack protector or the memory is missing.
 */
export function referenceCanary(
  context: KernelContext,
  perCpu: PerCpu,
  cpu: number,
): { readonly address: bigint; readonly value: bigint } | null {
  const fixed = perCpu.address("fixed_percpu_data", cpu) ?? perCpu.address("irq_stack_union", cpu);
  const address = fixed === null ? perCpu.address("__stack_chk_guard", cpu) : fixed + GS_CANARY;
  if (address === null) return null;
  const value = context.memory.u64(address);
  return value === null ? null : { address, value };
}
