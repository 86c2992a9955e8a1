import { SpillwayError } from "../errors.ts";
import { openBtf } from "../types/btf.ts";
import { EmptyTypes } from "../types/empty-types.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import { type KernelContext, kernelSymbol } from "./context.ts";

/** The largest kernel BTF seen is 6 MB. */
const LARGEST = 64 << 20;

/** vmlinux's BTF, between `__start_BTF` and `__stop_BTF` (90ceddcb4950, 5.7); an empty provider where there is none. */
export function openKernelTypes(
  context: Pick<KernelContext, "symbols" | "vmcoreinfo" | "memory" | "problem">,
): TypeProvider {
  const start = kernelSymbol(context, "__start_BTF");
  const stop = kernelSymbol(context, "__stop_BTF");
  if (start === null || stop === null || stop <= start || stop - start > BigInt(LARGEST)) {
    context.problem("the kernel has no type information (BTF)");
    return EmptyTypes;
  }
  // Dump filters leave pages out by mistake now and then: what follows a hole among the types is lost, names in a hole
  // among the strings are empty, and the rest is as good as ever.
  const { bytes, faults } = context.memory.readSparse(start, Number(stop - start));
  if (faults.length > 0) {
    context.problem(`${faults.length} pages of the kernel's type information (BTF) are not in the dump`);
  }
  try {
    const types = openBtf(bytes);
    const { unreadBytes } = types.index;
    if (unreadBytes > 0 && faults.length === 0) {
      const part = Math.ceil((100 * unreadBytes) / bytes.length);
      context.problem(`the kernel's type information (BTF) is damaged: ${part} % of it, its end, cannot be read`);
    }
    return types;
  } catch (error) {
    if (!(error instanceof SpillwayError)) throw error;
    context.problem(error.message);
    return EmptyTypes;
  }
}
