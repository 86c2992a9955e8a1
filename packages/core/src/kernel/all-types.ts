import { LayeredTypes } from "../types/layered-types.ts";
import type { TypeProvider } from "../types/type-provider.ts";
import type { Kernel } from "./kernel.ts";
import { moduleTypes } from "./module-types.ts";

/**
 * The types of a kernel and its modules: the kernel's own BTF, then debug information where there is some, then each
 * module's BTF. A source is opened when those before it did not know a name.
 */
export function allTypes(
  kernel: Pick<Kernel, "memory" | "symbols" | "types">,
  debugTypes: (() => TypeProvider | null) | null = null,
): TypeProvider {
  const modules = kernel.symbols.modules.map((module) => () => moduleTypes(kernel, module));
  return new LayeredTypes([() => kernel.types, ...(debugTypes === null ? [] : [debugTypes]), ...modules]);
}
